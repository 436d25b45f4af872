# Part of ./dev: `./dev coverage` and `./dev mutants`, what the tests reach and what they notice.
# Sourced, never run.
# shellcheck shell=bash

cmd_coverage() {
  setup build test clang coverage
  build coverage
  rm -rf build/coverage/profiles
  mkdir -m 1777 build/coverage/profiles # roles that gave up root count too
  run_ctest coverage coverage -j4 -LE long "$@"
  say "a sample of the faults that ctest knows as inject.all"
  build/coverage/inject/nth_failure --each 60 --seed 1 || note_failure "inject.all"
  say "coverage"
  python3 -B tests/coverage/coverage.py build/coverage || note_failure "coverage"
  summarise
}

cmd_mutants() {
  setup build test
  build release
  say "mutants of src/engine"
  exec python3 -B tests/mutation/mutate.py build/release "$@"
}
