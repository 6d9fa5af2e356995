# Run by CPack when the files of the packages lie in their folders.
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(documents ${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX}/share/doc)
  file(COPY_FILE ${CPACK_RESOURCE_FILE_LICENSE}
       ${CPACK_TEMPORARY_DIRECTORY}/${component}.copyright)
  file(APPEND ${CPACK_TEMPORARY_DIRECTORY}/${component}.copyright "
The library contains code of RapidJSON, Copyright (C) 2015 THL A29 Limited, a Tencent company, and
Milo Yip, under the same license.
")
  file(MAKE_DIRECTORY ${documents}/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  file(RENAME ${CPACK_TEMPORARY_DIRECTORY}/${component}.copyright
       ${documents}/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}/copyright)
endforeach()
