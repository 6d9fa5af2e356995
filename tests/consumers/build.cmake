# cmake -D PROJECT=... -D WORK=... -D GENERATOR=... -D "OPTIONS=..." -P build.cmake
# Configures anew, builds and runs one of the CMake projects beside this file. Objects of an earlier
# run stay, if the same command made them.
execute_process(
  COMMAND ${CMAKE_COMMAND} --fresh -S ${PROJECT} -B ${WORK} -G ${GENERATOR} ${OPTIONS}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK} --parallel COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --output-on-failure --no-tests=error
                WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
