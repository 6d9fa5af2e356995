# cmake -D STRIP=... -D LIBRARY=... -D COPY=... -D LIMIT=bytes -P check_size.cmake
# Fails if LIBRARY, stripped, has LIMIT bytes or more.
execute_process(COMMAND ${STRIP} -o ${COPY} ${LIBRARY} COMMAND_ERROR_IS_FATAL ANY)
file(SIZE ${COPY} size)
if(NOT size LESS LIMIT)
  message(FATAL_ERROR "${LIBRARY} is ${size} bytes when stripped; it must stay below ${LIMIT}")
endif()
message(STATUS "${size} bytes when stripped, of ${LIMIT} allowed")
