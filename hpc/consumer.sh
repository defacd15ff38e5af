#!/usr/bin/env bash
# Installs Lockstep's jars into a Maven repository of its own, and builds and runs examples/consumer from there, in a
# folder outside of this repository: what a user gets. Dependencies are copied from the local repository that is there.
# Nothing is left behind. Skips (no MPI) are printed as "skipped: REASON".
set -euo pipefail
repository=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
# shellcheck source=hpc/packages.sh
source "$repository/hpc/packages.sh"

folder=$(mktemp -d "${TMPDIR:-/tmp}/lockstep-consumer-XXXXXX")
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/repository" ~/.m2/repository
cp -a --reflink=auto ~/.m2/repository/. "$folder/repository"
rm -rf "$folder/repository/dev/lockstep"
maven=(mvn -B -ntp -q "-Dmaven.repo.local=$folder/repository")

"${maven[@]}" -f "$repository/pom.xml" -pl java/lockstep,java/cli -am install -DskipTests -Dspotless.check.skip=true >"$folder/install.log" 2>&1 ||
  { tail -n 30 "$folder/install.log" && fail "mvn install failed"; }
# The name of the build's jars must not depend on this script.
artifacts=$folder/repository/dev/lockstep
for artifact in base comm mpi data learn monitor localize train federated gloo config cli; do
  for suffix in '' -sources -javadoc; do
    [[ $artifact$suffix != cli-javadoc ]] || continue
    compgen -G "$artifacts/lockstep-$artifact/*/lockstep-$artifact-*[0-9]$suffix.jar" >/dev/null ||
      fail "mvn install has no lockstep-$artifact-VERSION$suffix.jar"
  done
done
for artifact in comm mpi; do
  compgen -G "$artifacts/lockstep-$artifact/*/lockstep-$artifact-*-linux-x86_64.jar" >/dev/null ||
    fail "mvn install has no native libraries of lockstep-$artifact"
done

# Who needs no network gets no libtorch, no command line, no plots and no YAML.
for artifact in comm mpi learn localize; do
  mkdir -p "$folder/$artifact"
  sed "s/<artifactId>lockstep</<artifactId>lockstep-$artifact</" "$repository/examples/consumer/pom.xml" >"$folder/$artifact/pom.xml"
  "${maven[@]}" -f "$folder/$artifact" dependency:copy-dependencies -DincludeScope=runtime >"$folder/$artifact.log" 2>&1 ||
    { tail -n 30 "$folder/$artifact.log" && fail "lockstep-$artifact cannot be resolved"; }
  brought=$(cd "$folder/$artifact/target/dependency" && echo *.jar)
  [[ $brought == *lockstep-$artifact-* ]] || fail "lockstep-$artifact is not among $brought"
  [[ ! $brought =~ pytorch|openblas|picocli|xchart|yaml ]] || fail "lockstep-$artifact brings $brought"
  echo "lockstep-$artifact brings no libtorch, picocli, XChart or YAML"
done

cp -r "$repository/examples/consumer" "$folder/project"
cd "$folder/project"
"${maven[@]}" package >"$folder/package.log" 2>&1 || { tail -n 30 "$folder/package.log" && fail "the consumer does not build"; }

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
flags=("-Dorg.bytedeco.javacpp.cachedir=$folder/cache")
[[ ! $("$java" -version 2>&1) =~ version\ \"(2[2-9]|[3-9][0-9]) ]] || flags+=(--enable-native-access=ALL-UNNAMED)
# The class path comes first: Open MPI's mpirun takes the first argument that contains "cp" for it, and "javacpp" does.
program() { timeout 300 "${launch[@]}" "$java" -cp 'target/classes:target/dependency/*' "${flags[@]}" "com.example.$1" 2>&1; }

# expect PROGRAM TEXT: runs it; its output must have the text.
expect() {
  local output
  output=$(program "$1") || { echo "$output" && fail "$1 ended with an error"; }
  [[ $output == *"$2"* ]] || { echo "$output" && fail "$1 did not print \"$2\""; }
  echo "$1: $2"
}

launch=()
expect Reduce 'reduced: [1.0, 2.0, 3.0] 4.0 of 1'
expect Train 'trained: '
expect Track 'tracked: 0.600 0.400'
found=''
for flavour in openmpi mpich; do
  if have_mpi $flavour; then
    found=1
    launch=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 "mpirun.$flavour" -n 2)
    expect Mpi 'summed: 3.0'
    expect Reduce 'reduced: [2.0, 4.0, 6.0] 4.0 of 2'
  fi
done
[[ -n $found ]] || echo "skipped: MPI from installed jars: neither Open MPI nor MPICH is installed with its headers"

# Our libraries search no folder of the build machine. The presets' own jars are beside them.
libraries=0
while IFS= read -r library; do
  runpath=$(readelf -d "$library" | sed -n 's/.*R\(UN\)\?PATH.*\[\(.*\)\]/\2/p')
  libraries=$((libraries + 1))
  [[ $runpath =~ ^(\$ORIGIN/?)?$ ]] || fail "$(basename "$library") has RUNPATH $runpath"
done < <(find "$folder/cache" -path "$folder/cache/*lockstep-*" -name '*.so')
((libraries > 0)) || fail "no library of Lockstep was unpacked below $folder/cache"
echo "RUNPATH: \$ORIGIN only"
