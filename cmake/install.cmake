# What `cmake --install` puts where: for Debian's package and for every other system.
set(TLSPOLICYD_UNIT_DIR "lib/systemd/system" CACHE STRING "Where systemd looks for units")
option(TLSPOLICYD_NOTIFY_RELOAD "Install the drop-in for systemd 253 and newer" OFF)
set(kUnits ${CMAKE_CURRENT_SOURCE_DIR}/postfix-examples/systemd)

install(TARGETS tlspolicyd tlspolicyctl DESTINATION ${CMAKE_INSTALL_SBINDIR})

# Units are written for /usr/sbin; elsewhere they name the programs where they are. The first lines,
# which say where to copy a file to, are for those who copy.
function(install_for_systemd file folder name)
  file(READ ${kUnits}/${file} text)
  string(REPLACE "/usr/sbin/" "${CMAKE_INSTALL_FULL_SBINDIR}/" text "${text}")
  string(REGEX REPLACE "^# /etc/[^\n]*\n(#\n)?" "" text "${text}")
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/systemd/${file} "${text}")
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/systemd/${file} DESTINATION ${folder} RENAME ${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${kUnits}/${file})
endfunction()

file(GLOB units RELATIVE ${kUnits} CONFIGURE_DEPENDS ${kUnits}/*.service ${kUnits}/*.socket)
foreach(unit ${units})
  install_for_systemd(${unit} ${TLSPOLICYD_UNIT_DIR} ${unit})
endforeach()
if(TLSPOLICYD_NOTIFY_RELOAD)
  install_for_systemd(notify-reload.conf ${TLSPOLICYD_UNIT_DIR}/tlspolicyd.service.d notify-reload.conf)
endif()
install_for_systemd(sysusers.conf lib/sysusers.d tlspolicyd.conf)
install_for_systemd(tmpfiles.conf lib/tmpfiles.d tlspolicyd.conf)

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/packaging/man/*.[58])
foreach(page ${pages})
  string(REGEX MATCH "[58]$" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
install(FILES packaging/completion/tlspolicyctl
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY postfix-examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples USE_SOURCE_PERMISSIONS)

# The configuration that an admin begins with; one that is there already stays. The programs look in
# /etc; what goes to a prefix of its own is started with --config.
install(CODE [[
  set(file "/etc/tlspolicyd/tlspolicyd.conf")
  if(NOT CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
    set(file "${CMAKE_INSTALL_PREFIX}${file}")
  endif()
  if(NOT EXISTS "$ENV{DESTDIR}${file}")
    message(STATUS "Installing: $ENV{DESTDIR}${file}")
    get_filename_component(folder "$ENV{DESTDIR}${file}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/bin/tlspolicyd" --print-config
                    OUTPUT_FILE "$ENV{DESTDIR}${file}" COMMAND_ERROR_IS_FATAL ANY)
  endif()
]])
