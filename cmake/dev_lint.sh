# Part of ./dev: `./dev lint`. Sourced, never run.
# shellcheck shell=bash

cpp_files() { find src tlsmap policyd tests -name '*.cc' -o -name '*.h' | sort; }

# tidy_one SETTINGS FILE: what was clean with the same headers of ours, the same settings and compiled
# the same way is clean still.
tidy_one() {
  local stamp
  stamp=$({
    clang++ -MM -std=c++20 -I. -Ibuild/lint/generated "$2" | sed 's/^[^:]*://; s/\\$//' | xargs cat
    grep -F -- "-c $PWD/$2\"" build/lint/compile_commands.json
  } | sha256sum)
  stamp=build/lint/clean/${stamp%% *}-$1
  [[ ! -e $stamp ]] || { touch "$stamp"; return 0; }
  # "N warnings generated" counts what was found in system headers and left out.
  clang-tidy -p build/lint --quiet --warnings-as-errors='*' "$2" 2> >(
    grep -vE '^[0-9]+ warnings? (generated|treated)|^$' >&2) && : >"$stamp"
}

lint_tidy() {
  local product tests
  cmake --preset lint >build/configure-lint.log 2>&1 || { cat build/configure-lint.log; return 1; }
  mkdir -p build/lint/clean
  product=$(sha256sum <.clang-tidy | cut -c1-16)
  tests=$(cat .clang-tidy tests/.clang-tidy | sha256sum | cut -c1-16)
  find build/lint/clean -type f -mtime +7 -delete
  export -f tidy_one
  cpp_files | grep '\.cc$' | sed "s|^tests/|$tests &|; t; s|^|$product |" |
    xargs -P "$(nproc)" -n 2 bash -c 'tidy_one "$0" "$1"'
}

lint_cppcheck() {
  mkdir -p build/lint/cppcheck
  cppcheck --quiet -j "$(nproc)" --std=c++20 --language=c++ --enable=warning,style,performance,portability \
    --inline-suppr --suppressions-list=tests/cppcheck-suppressions.txt --cppcheck-build-dir=build/lint/cppcheck \
    --error-exitcode=1 -I . src tlsmap policyd tests/bench
}

cmd_lint() {
  local bad=0 script
  setup build lint
  mkdir -p build
  for script in dev .ci/run cmake/dev_*.sh; do bash -n "$script" || bad=1; done
  say "clang-format"
  cpp_files | xargs clang-format --dry-run -Werror || bad=1
  say "cppcheck"
  lint_cppcheck || bad=1
  say "clang-tidy"
  lint_tidy || bad=1
  ((bad == 0)) || die "lint: findings above"
  say "lint: clean"
}
