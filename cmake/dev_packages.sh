# Part of ./dev: the Debian packages that each command needs. Sourced, never run.
# shellcheck shell=bash

readonly NO_INSTANCE='postfix postfix/main_mailer_type select No configuration'
# Packages whose service, of the same name, is not started, now or at boot.
readonly KEPT_QUIET=(postfix-mta-sts-resolver prometheus unbound)

# What for, which package, why. The names are the same on Debian 12 and 13.
packages() {
  cat <<'END'
build g++                 the C++20 compiler
build cmake               configures the build
build ninja-build         runs it
build ccache              makes the second build quick
build pkg-config          finds the libraries
build libevent-dev        the event loop
build libc-ares-dev       asks the DNS resolver, for probes
build libsqlite3-dev      policy.db
build libfmt-dev          text formatting
build libidn2-dev         international domain names
build libcli11-dev        command lines
build nlohmann-json3-dev  JSON output
build libseccomp-dev      the system call filter
build libsystemd-dev    the systemd journal as mail log
build libxxhash-dev       the policy image's checksum
build libssl-dev       the hash chain of the decision ledger
build zlib1g-dev        past mail logs in .gz
build catch2              the unit tests' framework
build sqlite3             the shell that admins edit with
build openssl             certificates for the examples and tests
build python3             test scripts
test  postfix             the real client, as private instances
test  iproute2            network namespaces for them
test  systemd-journal-remote  makes journals for the tests
test  unbound             the validating resolver that probes ask; not started, now or at boot
test  ldnsutils           signs the zone that it validates
test  strace              proves what a role does not call
test  procps              looks at the roles' processes
test  groff-base        formats the manual pages
test  debootstrap         makes the Debian 13 of the long tests
test  chromium            looks at the page for people, without a window
test  prometheus          its promtool judges metrics and alert rules; not started, now or at boot
test  systemd             judges the units; nothing of it is started
package build-essential   what every Debian package is built with
package debhelper         builds the Debian package
package dpkg-dev          the same
package lintian           looks for what Debian would not take
clang clang               the compiler of the fuzz targets
clang libclang-rt-dev     its sanitizers and libFuzzer
coverage llvm             reads the counters of ./dev coverage
alternatives postfix-lmdb              a map of Postfix's own to compare with
alternatives postfix-sqlite            another
alternatives postfix-mta-sts-resolver  the policy service that Debian has; not started, now or at boot
lint  clang               reads the sources as clang-tidy does
lint  clang-format        layout
lint  clang-tidy          static analysis
lint  cppcheck            static analysis
END
}

# Prints "PACKAGE WHY" for what the given kinds need and isn't installed.
missing_packages() {
  local kinds=" $* " kind package why installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' | sed -n 's/ installed$//p')
  while read -r kind package why; do
    [[ $kinds == *" $kind "* ]] || continue
    grep -qxF "$package" <<<"$installed" || printf '%s %s\n' "$package" "$why"
  done < <(packages) | sort -u -k1,1
}

# Sees to the packages of the given kinds; says what it is about to do before it does it.
setup() {
  command -v dpkg-query >/dev/null || die "packages are looked after on Debian only; './dev' is of no use here"
  local missing names command
  missing=$(missing_packages "$@")
  [[ -n $missing ]] || return 0
  names=$(cut -d' ' -f1 <<<"$missing" | tr '\n' ' ')
  say "These Debian packages are missing:"
  awk '{ name = $1; $1 = ""; printf "   %-20s%s\n", name, $0 }' <<<"$missing"
  command="apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${names% }"
  [[ " $names " != *" postfix "* ]] || command="echo '$NO_INSTANCE' | debconf-set-selections && $command"
  # Masked while it is installed, it isn't started; disabled, it stays so at boot.
  local quiet
  quiet=$(kept_quiet "$names")
  [[ -z $quiet ]] ||
    command="systemctl mask $quiet && $command && systemctl unmask $quiet && systemctl disable $quiet"
  ((EUID == 0)) ||
    { printf '\nThis one command, as root, installs them; then run ./dev again:\n\n   %s\n\n' "$command"; exit 1; }
  say "Installing them with apt-get now (no recommended packages; no Postfix instance is set up or started)"
  # shellcheck disable=SC2086  # the names are words
  install_packages $names
}

# Those of the packages given whose services are kept quiet.
kept_quiet() {
  local each found=()
  for each in "${KEPT_QUIET[@]}"; do
    [[ " $* " != *" $each "* ]] || found+=("$each")
  done
  echo "${found[*]}"
}

install_packages() (
  export DEBIAN_FRONTEND=noninteractive
  apt() { apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null; }
  install() { apt install -y --no-install-recommends "$@"; }
  [[ " $* " != *" postfix "* ]] || debconf-set-selections <<<"$NO_INSTANCE"
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then
    # Installed packages start nothing while this stands.
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  if [[ $(apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]') -lt $# ]]; then apt update; fi
  # Lists that are older than the mirror name files that are gone; fresh ones don't.
  install "$@" || { apt update && install "$@"; }
  local quiet
  quiet=$(kept_quiet "$*")
  # shellcheck disable=SC2086  # the names are words
  [[ -z $quiet ]] || systemctl disable $quiet
)
