# Part of ./dev: `./dev soak`, load, edits and faults at once. Sourced, never run.
# shellcheck shell=bash

cmd_soak() {
  setup build test
  build release tlspolicyd tlspolicyctl soak_clients
  TLSPOLICYD_BIN="$ROOT/build/release/bin" exec /usr/bin/python3 -B tests/soak/soak.py "$@"
}
