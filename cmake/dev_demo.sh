# Part of ./dev: `./dev demo`, real mail under real rows. Sourced, never run.
# shellcheck shell=bash

cmd_demo() {
  (($# == 0)) || die "demo takes no options"
  if ((EUID != 0)); then
    cat >&2 <<'END'
The demo runs a private Postfix in network namespaces of its own; setting those up needs root.
This one command does it all, and leaves nothing behind but build/ and the Debian packages it names:

   sudo ./dev demo

END
    exit 1
  fi
  setup build test
  build release tlspolicyd tlspolicyctl
  exec env TLSPOLICYD_BIN="$ROOT/build/release/bin" /usr/bin/python3 -B tests/postfix/demo.py
}
