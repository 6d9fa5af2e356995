# simdrop_header_only(TARGET HEADER VARIABLE): an imported target for a package that is only headers.
# VARIABLE is the folder that holds HEADER; set it to use another copy than the one that is found.
#
# Such a package serves every target platform, so a cross build takes the host's copy. But the
# host's include folder must stay out of that build's search path: it gets a folder with a link to
# this one package.
function(simdrop_header_only target header variable)
  find_path(${variable} ${header} NO_CMAKE_FIND_ROOT_PATH)
  set(folder "${${variable}}")
  if(NOT EXISTS "${folder}/${header}")
    message(FATAL_ERROR "simdrop: ${variable} is ${folder}, which has no ${header}; "
                        "run cmake/bootstrap.sh, or set ${variable} to the folder that has it")
  endif()
  if(CMAKE_CROSSCOMPILING)
    get_filename_component(package ${header} DIRECTORY)
    set(links ${PROJECT_BINARY_DIR}/header_only/${package})
    file(MAKE_DIRECTORY ${links})
    file(CREATE_LINK ${folder}/${package} ${links}/${package} SYMBOLIC)
    set(folder ${links})
  endif()
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} SYSTEM INTERFACE ${folder})
endfunction()
