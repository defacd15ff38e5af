# shellcheck shell=bash
# Sourced by quickstart.sh and test.sh: says which commands are missing and installs their Debian packages.

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# have_cmake: presets of version 4 need CMake 3.25.
have_cmake() {
  command -v cmake >/dev/null &&
    printf '3.25\n%s\n' "$(cmake --version | sed -n '1s/[^0-9]*//p')" | sort -VC
}

# have_jdk: a compiler of version 17 or newer.
have_jdk() {
  local javac=${JAVA_HOME:+$JAVA_HOME/bin/}javac
  command -v "$javac" >/dev/null && (("$("$javac" -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')" >= 17))
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

# missing_packages: the Debian packages of what the build needs and this machine lacks.
missing_packages() {
  have_jdk || echo openjdk-17-jdk-headless
  command -v mvn >/dev/null || echo maven
  command -v g++ >/dev/null || echo g++
  have_cmake || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  have_file /usr/include/gtest/gtest.h || echo libgtest-dev
}

# require_build_tools: installs what is missing or ends with the one line that says what to install.
require_build_tools() {
  local missing
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]})); then
    say "Installing ${missing[*]}"
    install "${missing[@]}" || fail "please install: ${missing[*]} (apt-get install ${missing[*]})"
    mapfile -t missing < <(missing_packages)
    ((${#missing[@]} == 0)) || fail "this distribution's packages are too old for: ${missing[*]}; CMake 3.25 and JDK 17 are the least"
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
