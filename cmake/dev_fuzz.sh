# Part of ./dev: the fuzz targets. Sourced, never run.
# shellcheck shell=bash

fuzz_names() { find tests/fuzz -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz\.cc$//' | sort; }

# Whether a change passes is not left to luck: ./dev test begins each target at the same place.
# ./dev fuzz and ./dev test --long begin somewhere else each time.
fuzz_seed=()

# fuzz_one NAME SECONDS: new inputs go to build/, so that the tree holds chosen seeds only.
fuzz_one() {
  local name=$1 seconds=$2 log=build/fuzz/$1.log extra=()
  mkdir -p "build/fuzz/corpus/$name" "build/fuzz/crashes/$name"
  [[ ! -f tests/fuzz/$name.dict ]] || extra=(-dict="tests/fuzz/$name.dict")
  if "build/fuzz/bin/${name}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name/" "${extra[@]}" "${fuzz_seed[@]}" \
    "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
    printf '   %-24s %s runs, no finding\n' "$name" "$(fuzz_runs "$name")"
    return
  fi
  tail -n 60 "$log"
  printf '   %-24s FOUND SOMETHING, see build/fuzz/crashes/%s/ and %s\n' "$name" "$name" "$log"
  return 1
}

# fuzz_runs NAME: of its last run.
fuzz_runs() { sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$1.log"; }

fuzz_all() {
  local name
  while read -r name; do
    if fuzz_one "$name" "$1"; then passed=$((passed + 1)); else note_failure "fuzz: $name"; fi
  done < <(fuzz_names)
}

# fuzz_count NAME: adds its last run to what is kept in the tree.
fuzz_count() {
  local file=tests/fuzz/executions.txt runs
  runs=$(fuzz_runs "$1")
  awk -v name="$1" -v runs="${runs:-0}" '
    /^#/ { print; next }
    $1 == name { $2 += runs; is_there = 1 }
    { printf "%-16s %15d\n", $1, $2 }
    END { if (!is_there) printf "%-16s %15d\n", name, runs }' "$file" >"$file.new"
  { grep '^#' "$file.new"; grep -v '^#' "$file.new" | sort; } >"$file"
  rm "$file.new"
}

# fuzz_minimise NAME: of the inputs that were found, keeps those that reach what no other does.
fuzz_minimise() {
  local found=build/fuzz/corpus/$1 each
  rm -rf "$found.least"
  mkdir "$found.least"
  "build/fuzz/bin/${1}_fuzz" -merge=1 "$found.least" "tests/fuzz/corpus/$1" "$found" >>"build/fuzz/$1.log" 2>&1 || return 0
  for each in "tests/fuzz/corpus/$1"/*; do
    rm -f "$found.least/$(sha1sum <"$each" | cut -d' ' -f1)" # where libFuzzer puts a seed's copy
  done
  rm -rf "$found"
  mv "$found.least" "$found"
}

cmd_fuzz() {
  local target=${1:-} seconds=${2:-60} name
  if [[ $target =~ ^[0-9]+$ ]]; then seconds=$target target=; fi
  [[ -z $target ]] || fuzz_names | grep -qxF "$target" ||
    die "no fuzz target '$target'; there are: $(fuzz_names | tr '\n' ' ')"
  setup build clang
  build fuzz
  say "fuzz: $seconds s a target"
  while read -r name; do
    if fuzz_one "$name" "$seconds"; then passed=$((passed + 1)); else note_failure "fuzz: $name"; fi
    fuzz_count "$name"
    fuzz_minimise "$name"
  done < <(if [[ -n $target ]]; then echo "$target"; else fuzz_names; fi)
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((failed == 0))
}
