# Part of ./dev: the Debian package. Sourced, never run.
# shellcheck shell=bash

# package_version: PROJECT_VERSION where its tag is checked out; else that and the commit's time, so that
# each later commit makes a package that apt takes for newer. One of Debian 13 is newer than one of 12.
package_version() {
  local version release
  version=$(sed -n 's/^project(tlspolicyd VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
  git tag --points-at HEAD | grep -qx "v$version" ||
    version+=~$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M%S --format=%cd)
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "${VERSION_ID:-0}")
  echo "$version~deb${release}u1"
}

# write_changelog VERSION: on standard output.
write_changelog() {
  printf 'tlspolicyd (%s) unstable; urgency=medium\n\n  * What changed stands in CHANGELOG.md.\n\n -- %s  %s\n' \
    "$1" "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" "$(git log -1 --format=%cD)"
}

# Built for the Debian that it is built on, from what is committed, into build/package/.
cmd_package() {
  local version source
  git rev-parse --quiet --verify HEAD >/dev/null ||
    die "package: git does not read this clone; run ./dev package as the user who owns it: only apt install needs root"
  setup build package
  version=$(package_version)
  source=build/package/tlspolicyd
  git diff --quiet HEAD -- || say "package: changes that are not committed are left out"
  say "package: tlspolicyd $version; this takes 5 minutes, or 30: tail -f build/package/build.log shows how far it is"
  rm -rf build/package
  mkdir -p "$source"
  git archive HEAD | tar -x -C "$source"
  mv "$source/packaging/debian" "$source/debian"
  write_changelog "$version" >"$source/debian/changelog"
  # ccache as for every other build: /usr/lib/ccache holds the compilers' names, and debhelper gives
  # the build another HOME.
  (cd "$source" && CCACHE_DIR=$(ccache --get-config cache_dir) PATH=/usr/lib/ccache:$PATH CCACHE_BASEDIR=$PWD \
    CCACHE_NOHASHDIR=1 dpkg-buildpackage --build=binary --no-sign) >build/package/build.log 2>&1 ||
    { tail -n 30 build/package/build.log >&2; die "package: see build/package/build.log"; }
  rm -rf "$source"
  # Who maintains a package that is built from a tree is whoever builds it: there is no address to name.
  lintian --fail-on error,warning --allow-root \
    --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,root-in-contact \
    build/package/*.changes || die "package: lintian has objections"
  say "the package is in build/package/; to install it: apt install ./build/package/tlspolicyd_${version}_*.deb"
}
