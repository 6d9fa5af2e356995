# The target `demo`: what dropout costs and what it does, on the terminal.
add_custom_target(demo
  COMMAND simdrop_program demo
  WORKING_DIRECTORY ${PROJECT_BINARY_DIR}
  COMMENT "simdrop demo"
  USES_TERMINAL VERBATIM)
