# shellcheck shell=bash
# Sourced by quickstart.sh and test.sh: says what is missing and installs its Debian packages. Every question is
# answered by use (a program that includes the header is compiled, a module is imported), because the presence of a
# command does not tell that its headers or libraries are installed, too.

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# compiles COMPILER [ARGUMENT...]: whether it makes a program of the C++ on the standard input; libraries are arguments.
compiles() {
  local compiler=$1
  shift
  command -v "$compiler" >/dev/null && "$compiler" -std=c++20 -x c++ - -x none "$@" -o /dev/null 2>/dev/null
}

# have_cmake: presets of version 4 need CMake 3.25.
have_cmake() {
  command -v cmake >/dev/null &&
    printf '3.25\n%s\n' "$(cmake --version | sed -n '1s/[^0-9]*//p')" | sort -VC
}

# have_jdk: the Java that Maven will use is of version 17 or newer, and its home has the compiler and jni.h.
have_jdk() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java home version
  java=$(command -v "$java") || return 1
  home=$(dirname "$(dirname "$(readlink -f "$java")")")
  version=$("$java" -version 2>&1 | sed -n '1s/[^"]*"\([0-9]*\).*/\1/p')
  [[ -x $home/bin/javac && -f $home/include/jni.h && -n $version ]] && ((version >= 17))
}

# have_compiler: CMake's, and g++, which JavaCPP calls.
have_compiler() {
  local compiler
  for compiler in "${CXX:-c++}" g++; do
    compiles "$compiler" -pthread <<<$'#include <concepts>\n#include <thread>\nint main() { std::thread([] {}).join(); }' || return 1
  done
  command -v "${CC:-cc}" >/dev/null
}

have_googletest() {
  compiles "${CXX:-c++}" -lgtest -lgtest_main -pthread <<<$'#include <gtest/gtest.h>\nTEST(A, B) {}'
}

# have_sanitizer NAME: as -fsanitize takes it.
have_sanitizer() { compiles "${CXX:-c++}" "-fsanitize=$1" <<<'int main() {}'; }

# have_mpi openmpi|mpich: mpi.h of that MPI, its library and its launcher. The same names as
# cmake/LockstepFindMpi.cmake and the tests look for.
have_mpi() {
  local flavour=$1 wrapper
  wrapper=$(PATH=$PATH:/usr/lib64/$flavour/bin:/opt/$flavour/bin command -v "mpicc.$flavour" mpicc | head -n 1)
  local macro=OPEN_MPI
  [[ $flavour == openmpi ]] || macro=MPICH_VERSION
  [[ -n $wrapper ]] && command -v "mpirun.$flavour" >/dev/null && "$wrapper" -x c - -x none -o /dev/null 2>/dev/null <<END
#include <mpi.h>
#ifndef $macro
#error another MPI
#endif
int main(void) { return MPI_Finalize(); }
END
}

have_file() { [[ -e $1 ]]; }

# as_root COMMAND...: runs it as root when that is possible without a question.
as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null && { [[ -t 0 && -z ${CI:-} ]] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 1
  fi
}

# install PACKAGE...: by apt-get; fails when the user may not or a package is not to be had.
install() {
  command -v apt-get >/dev/null || return 1
  local quiet=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  as_root "${quiet[@]}" install -y --no-install-recommends "$@" >/dev/null 2>&1 && return 0
  as_root "${quiet[@]}" update >/dev/null 2>&1 || return 1
  as_root "${quiet[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# jdk_package: Debian 12 has JDK 17; later releases have only newer ones, under the default's name.
jdk_package() {
  if apt-cache show openjdk-17-jdk-headless >/dev/null 2>&1; then
    echo openjdk-17-jdk-headless
  else
    echo default-jdk-headless
  fi
}

# missing_packages: the Debian packages of what the build needs and this machine lacks.
missing_packages() {
  have_jdk || jdk_package
  command -v mvn >/dev/null || echo maven
  have_compiler || echo g++
  have_cmake || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  command -v git >/dev/null || echo git
}

# require_build_tools: installs what is missing or ends with the one line that says what to install.
require_build_tools() {
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]})); then
    say "Installing ${missing[*]}"
    install "${missing[@]}" || fail "please install: ${missing[*]} (apt-get install ${missing[*]})"
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) ||
      fail "installed, but still not usable: ${missing[*]}; CMake 3.25 and JDK 17 are the least, and \
JAVA_HOME${JAVA_HOME:+ (here $JAVA_HOME)}, CC and CXX must name working ones where they are set"
  fi
}

# heat_budget_file: prints where the real data set is, installing or unpacking its package when it is not there.
heat_budget_file() {
  local inside=usr/share/ferret-vis/data/esku_heat_budget.cdf local_folder=$1
  if have_file "/$inside"; then
    echo "/$inside"
  elif have_file "$local_folder/$inside"; then
    echo "$local_folder/$inside"
  elif install ferret-datasets >&2 && have_file "/$inside"; then
    echo "/$inside"
  else
    # Whoever may not install may still download a package and open it in a folder.
    mkdir -p "$local_folder"
    (cd "$local_folder" && apt-get -qq download ferret-datasets >&2 && dpkg -x ferret-datasets_*.deb . &&
      rm -f ferret-datasets_*.deb) || return 1
    have_file "$local_folder/$inside" && echo "$local_folder/$inside"
  fi
}

# fingerprint PATH...: one hash of the contents of the files that git tracks, or would, under the paths.
fingerprint() {
  git ls-files -z --cached --others --exclude-standard -- "$@" | sort -z | xargs -0 sha256sum 2>/dev/null |
    sha256sum | cut -c1-64
}
