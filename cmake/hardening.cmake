# What the RELIABILITY goals ask of every binary: fortified, position independent, read-only relocations.
add_compile_options(-fstack-protector-strong -fstack-clash-protection)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-fcf-protection)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
# _FORTIFY_SOURCE needs optimisation and gets in the way of the sanitizers' own checks.
if(NOT TLSPOLICYD_SANITIZE AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
if(TLSPOLICYD_SANITIZE)
  add_compile_options(-fsanitize=${TLSPOLICYD_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TLSPOLICYD_SANITIZE})
endif()
