#!/usr/bin/env bash
# Runs every test: formatting, the native core (plain, with sanitizers, fuzzed), Java on each JDK that is there, and
# the scripts. Installs what the tests need where it may; what is skipped is listed with its reason at the end.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=hpc/packages.sh
source hpc/packages.sh

failed=()
skipped=()
started=$SECONDS

# step NAME COMMAND...: runs it; a failure is remembered and the other steps still run.
step() {
  local name=$1 begin=$SECONDS
  shift
  say "$name"
  if "$@"; then
    echo "-- $name: passed in $((SECONDS - begin)) s"
  else
    echo "-- $name: FAILED after $((SECONDS - begin)) s"
    failed+=("$name")
  fi
}

skip() { skipped+=("$1: $2"); }

# want PACKAGE CHECK...: installs the package unless the check passes; what it is for is skipped when that fails.
want() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || install "$package" >/dev/null 2>&1 || echo "cannot install $package"
}

tools() {
  require_build_tools
  want openmpi-bin command -v mpirun.openmpi
  want libopenmpi-dev command -v mpicc.openmpi
  want mpich command -v mpirun.mpich
  want libmpich-dev command -v mpicc.mpich
  want clang command -v clang++
  want libclang-rt-dev fuzzer_works
  want clang-format command -v clang-format
  want netcdf-bin command -v ncdump
  want python3-torch python_torch
  want shellcheck command -v shellcheck
  want ccache command -v ccache
  heat_budget_file .cache/data >/dev/null || echo "cannot get ferret-datasets"
}

# python_torch: whether one of the interpreters that the tests try has PyTorch.
python_torch() {
  python3 -c 'import torch' 2>/dev/null || /usr/bin/python3 -c 'import torch' 2>/dev/null
}

fuzzer_works() {
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -x c++ -fsanitize=fuzzer,address - -o /dev/null 2>/dev/null
}

native_format() { git ls-files 'native-src/*.h' 'native-src/*.cc' | xargs clang-format --dry-run -Werror; }

# native PRESET: configures, builds and tests one preset.
native() { cmake --preset "$1" >/dev/null && cmake --build --preset "$1" -- --quiet && ctest --preset "$1"; }

# The fuzz targets alone: Clang 14 does not take all of GCC 12's library, which the rest is written for.
fuzz() {
  local source targets=()
  for source in native-src/fuzz/*_fuzz.cc; do targets+=("$(basename "$source" .cc)"); done
  cmake --preset fuzz >/dev/null && cmake --build --preset fuzz --target "${targets[@]}" -- --quiet || return 1
  local target
  for target in "${targets[@]}"; do
    echo "$target:"
    "build/fuzz/bin/$target" -max_total_time=10 -print_final_stats=1 2>&1 | tail -n 6 || return 1
  done
}

scripts() {
  local script
  for script in hpc/*.sh hpc/slurm/*.sh hpc/lockstep; do
    bash -n "$script" || return 1
  done
  ! command -v shellcheck >/dev/null || shellcheck -x hpc/*.sh hpc/slurm/*.sh hpc/lockstep
}

java_tests() { mvn -B -ntp verify; }

# java_tests_on JDK: the library's tests on another JDK, with the natives that are built already.
java_tests_on() { JAVA_HOME=$1 mvn -B -ntp -pl java surefire:test@default-test; }

quickstart() { bash hpc/quickstart.sh; }

say "Tools"
tools
if command -v ccache >/dev/null; then
  # The same files in another clone are hits too.
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi
python_torch || skip "model.pt in Python" "no python3 with PyTorch"
data=$(heat_budget_file .cache/data) || skip "training on the real data" "ferret-datasets is not to be had"
command -v mpicc.openmpi >/dev/null || skip "Open MPI backend" "libopenmpi-dev is not installed"
command -v mpicc.mpich >/dev/null || skip "MPICH backend" "libmpich-dev is not installed"
command -v ncdump >/dev/null || skip "NetCDF against ncdump" "netcdf-bin is not installed"

step "scripts" scripts
command -v shellcheck >/dev/null || skip "shellcheck" "it is not installed"
if command -v clang-format >/dev/null; then
  step "native format" native_format
else
  skip "native format" "clang-format is not installed"
fi
step "native tests with ASan and UBSan" native asan
step "native tests with TSan" native tsan
if fuzzer_works; then
  step "fuzzing of the TCP parsers" fuzz
else
  skip "fuzzing" "no clang with libFuzzer"
fi
if [[ -n $data ]]; then
  step "quickstart" quickstart
fi
step "native tests" native release
step "build and Java tests" java_tests
other=$(find /usr/lib/jvm -maxdepth 1 -name '*25*' -type d 2>/dev/null | sort | head -n 1)
if [[ -n $other && ${JAVA_HOME:-} != "$other" ]]; then
  step "Java tests on $(basename "$other")" java_tests_on "$other"
else
  skip "Java tests on JDK 25" "none is installed under /usr/lib/jvm"
fi

# JUnit's own reasons, which Surefire keeps in its reports only.
while IFS= read -r reason; do
  skip "Java tests" "$reason"
done < <(sed -n 's/.*<skipped message="\([^"]*\)".*/\1/p' java/target/surefire-reports/*.xml 2>/dev/null | sort | uniq -c |
  sed 's/^ *//')

say "Summary after $((SECONDS - started)) s"
for reason in "${skipped[@]}"; do echo "skipped: $reason"; done
for name in "${failed[@]}"; do echo "FAILED: $name"; done
if ((${#failed[@]})); then exit 1; fi
echo "every step passed"
