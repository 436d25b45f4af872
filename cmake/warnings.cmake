# Every target of ours links tlspolicyd_warnings; -Werror is for our presets, not for packagers.
add_library(tlspolicyd_warnings INTERFACE)
target_compile_options(tlspolicyd_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2 -Wnull-dereference
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wuseless-cast>
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>
  -Wswitch-enum
  $<$<BOOL:${TLSPOLICYD_WERROR}>:-Werror>)
target_include_directories(tlspolicyd_warnings INTERFACE ${PROJECT_SOURCE_DIR})
