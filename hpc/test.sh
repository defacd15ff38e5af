#!/usr/bin/env bash
# Runs every test: formatting, the native core (plain, with sanitizers, fuzzed), Java on each JDK that is there, the
# scripts, and the jars as a user's project gets them. Installs what the tests need where it may; whatever is skipped,
# by this script or inside a test program, is listed with its reason at the end.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit 1
# shellcheck source=hpc/packages.sh
source hpc/packages.sh

failed=()
skipped=()
declare -A present=()
started=$SECONDS

# cpu_seconds: what this script's ended children have used. Unlike the time that passes, it can be compared on a
# machine that does other work, too.
cpu_seconds() {
  local fields
  read -ra fields <"/proc/$$/stat"
  echo $(((fields[15] + fields[16]) / $(getconf CLK_TCK)))
}

# step NAME COMMAND...: runs it; a failure is remembered and the other steps still run.
step() {
  local name=$1 begin=$SECONDS cpu result=passed
  cpu=$(cpu_seconds)
  shift
  say "$name"
  "$@" || { result=FAILED && failed+=("$name"); }
  echo "-- $name: $result in $((SECONDS - begin)) s, $(($(cpu_seconds) - cpu)) CPU s"
}

skip() { skipped+=("$1: $2"); }

# need WHAT CHECK PACKAGE...: unless CHECK passes, installs the packages and asks again; WHAT is skipped where that
# does not help.
need() {
  local what=$1 check=$2
  shift 2
  # shellcheck disable=SC2086 # a command and its arguments
  if $check >/dev/null 2>&1 || { install "$@" >/dev/null 2>&1 && $check >/dev/null 2>&1; }; then
    present[$check]=1
  else
    skip "$what" "needs $* (apt-get install $*)"
  fi
}

has() { [[ -n ${present[$1]:-} ]]; }
have() { command -v "$1"; }

# A Python with PyTorch, where the tests look for one.
have_python_torch() {
  python3 -c 'import torch' 2>/dev/null || /usr/bin/python3 -c 'import torch' 2>/dev/null
}

have_fuzzer() {
  compiles clang++ -fsanitize=fuzzer,address <<<'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }'
}

# Namespaces and links for the tests between hosts; where there are none, they say why.
have_links() { bash hpc/netlab/netlab check; }

# A private Python whose libraries write and read the random files and times of the tests of data.
have_reference_readers() {
  local libraries=(cftime h5py netCDF4 numcodecs pandas pyarrow xarray zarr) check
  check="import $(IFS=, && echo "${libraries[*]}")"
  .cache/python/bin/python -c "$check" 2>/dev/null ||
    { python3 -m venv .cache/python && .cache/python/bin/pip install -q "${libraries[@]}" && .cache/python/bin/python -c "$check"; }
}

have_data() { [[ -n $(heat_budget_file .cache/data 2>/dev/null) ]]; }

tools() {
  require_build_tools
  need "native tests" have_googletest libgtest-dev
  need "native tests with ASan and UBSan" "have_sanitizer address,undefined" g++
  need "native tests with TSan" "have_sanitizer thread" g++
  need "Open MPI backend and bindings" "have_mpi openmpi" openmpi-bin libopenmpi-dev
  need "MPICH backend and bindings" "have_mpi mpich" mpich libmpich-dev
  need "fuzzing of the TCP parsers" have_fuzzer clang libclang-rt-dev
  need "native format" "have clang-format" clang-format
  need "NetCDF files of ncgen" "have ncgen" netcdf-bin
  need "random files against h5py, netCDF4, pandas, pyarrow, xarray, zarr and cftime" have_reference_readers python3-venv
  need "model.pt in Python" have_python_torch python3-torch
  need "faults between processes" "have python3" python3
  need "faults between hosts" "have ip" iproute2
  local reason
  has "have ip" && { reason=$(have_links 2>&1) || skip "faults between hosts" "${reason#netlab: }"; }
  need "shellcheck" "have shellcheck" shellcheck
  need "training on the real data" have_data ferret-datasets
}

native_format() { git ls-files 'native-src/*.h' 'native-src/*.cc' | xargs clang-format --dry-run -Werror; }

# configure PRESET: remembers what CMake leaves out, and why; the bindings for Java are Maven's to build.
configure() {
  local line
  cmake --preset "$1" >"build/$1-configure.log" 2>&1 || { cat "build/$1-configure.log" && return 1; }
  while IFS= read -r line; do
    skip "$1 build" "$line"
  done < <(sed -n '/^-- MPI bindings for Java/d; s/^-- \(.*left out.*\)/\1/p' "build/$1-configure.log")
}

# native PRESET: configures, builds and tests one preset; GoogleTest writes what its tests skip.
native() {
  local results=$PWD/build/$1/gtest code=0 line
  mkdir -p build
  configure "$1" && cmake --build --preset "$1" -- --quiet || return 1
  rm -rf "$results"
  GTEST_OUTPUT=xml:$results/ ctest --preset "$1" -j "$(nproc)" >"build/$1-tests.log" 2>&1 || code=1
  if ((code)); then cat "build/$1-tests.log"; else tail -n 4 "build/$1-tests.log"; fi
  while IFS= read -r line; do
    skip "$1 tests" "$line"
  done < <({
    grep -ho '<skipped message="[^"]*"' "$results"/*.xml | sed 's/.*&#x0A;//; s/.*message="//; s/"$//'
    sed -n 's/^ *[0-9]* - \(.*\) (Skipped)$/\1/p' "build/$1-tests.log"
  } 2>/dev/null | sort | uniq -c | sed 's/^ *//')
  return $code
}

# The fuzz targets alone: Clang 14 does not take all of GCC 12's library, which the rest is written for.
fuzz() {
  local source target targets=() runs=() code=0
  for source in native-src/fuzz/*_fuzz.cc; do targets+=("$(basename "$source" .cc)"); done
  cmake --preset fuzz >/dev/null && cmake --build --preset fuzz --target "${targets[@]}" -- --quiet || return 1
  for target in "${targets[@]}"; do
    "build/fuzz/bin/$target" -max_total_time=10 -print_final_stats=1 >"build/fuzz/$target.log" 2>&1 &
    runs+=($!)
  done
  for source in "${!targets[@]}"; do
    wait "${runs[$source]}" || code=1
    echo "${targets[$source]}:" && tail -n 6 "build/fuzz/${targets[$source]}.log"
  done
  return $code
}

scripts() {
  local script
  for script in hpc/*.sh hpc/slurm/*.sh hpc/lockstep; do
    bash -n "$script" || return 1
  done
  ! has "have shellcheck" || shellcheck -x hpc/*.sh hpc/slurm/*.sh hpc/lockstep
}

# java_skips WHERE: JUnit's own reasons, which Surefire keeps in its reports only.
java_skips() {
  local line
  while IFS= read -r line; do
    skip "$1" "$line"
  done < <(sed -n 's/.*<skipped[^>]* message="\([^"]*\)".*/\1/p; s/.*<skipped[^>]*><!\[CDATA\[[A-Za-z.]*: //p' \
    java/*/target/surefire-reports/*.xml 2>/dev/null | sed 's/^Assumption failed: //; s/\]\]>.*//; s/&quot;/"/g; s/&apos;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | sort | uniq -c | sed 's/^ *//')
}

# maven_tests ARGUMENT...: the tests of every module, of those behind a failure, too.
maven_tests() {
  rm -rf java/*/target/surefire-reports
  mvn -B -ntp -Dmaven.test.failure.ignore -Dduckdb "$@" &&
    ! grep -lE '<testsuite [^>]*(errors|failures)="[1-9]' java/*/target/surefire-reports/*.xml
}

java_tests() {
  local code=0
  maven_tests verify || code=1
  java_skips "Java tests"
  return $code
}

# java_tests_on JDK: the library's tests on another JDK, with the natives that are built already. What the JVM has no
# part in is not repeated: numbers that native code computes in ranks that are processes, the equality ladder, rules about
# class files, and model files that Python reads. The boundary to native code, processes, signals, memory and reflection
# are tested again.
java_tests_on() {
  local code=0
  JAVA_HOME=$1 maven_tests -f java -Dbuilt test -Dtest.excluded=same-on-every-jdk || code=1
  skip "Java tests on $(basename "$1")" "the tests tagged same-on-every-jdk: they have passed or failed above"
  java_skips "Java tests on $(basename "$1")"
  return $code
}

quickstart() { bash hpc/quickstart.sh; }

# consumer: its own skips are among its lines.
consumer() {
  local code=0 line
  mkdir -p build
  hpc/consumer.sh >build/consumer.log 2>&1 || code=1
  cat build/consumer.log
  while IFS= read -r line; do
    skip "installed jars" "$line"
  done < <(sed -n 's/^skipped: //p' build/consumer.log)
  return $code
}

say "Tools"
tools
if command -v ccache >/dev/null; then
  # The same files in another clone are hits too.
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
fi

step "scripts" scripts
if has "have clang-format"; then step "native format" native_format; fi
if has have_googletest; then
  if has "have_sanitizer address,undefined"; then step "native tests with ASan and UBSan" native asan; fi
  if has "have_sanitizer thread"; then step "native tests with TSan" native tsan; fi
fi
if has have_fuzzer; then step "fuzzing of the TCP parsers" fuzz; fi
if has have_data; then step "quickstart" quickstart; fi
if has have_googletest; then step "native tests" native release; fi
step "build and Java tests" java_tests
step "installed jars in a user's project" consumer
other=$(find /usr/lib/jvm -maxdepth 1 -name '*25*' -type d 2>/dev/null | sort | head -n 1)
if [[ -n $other && ${JAVA_HOME:-} != "$other" ]]; then
  step "Java tests on $(basename "$other")" java_tests_on "$other"
else
  skip "Java tests on JDK 25" "none is installed under /usr/lib/jvm"
fi

say "Summary after $((SECONDS - started)) s"
for reason in "${skipped[@]}"; do echo "skipped: $reason"; done
for name in "${failed[@]}"; do echo "FAILED: $name"; done
if ((${#failed[@]})); then exit 1; fi
echo "every step passed"
