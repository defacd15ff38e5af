#!/usr/bin/env bash
# From a clean clone to a trained emulator of air-sea heat fluxes, on two ranks of this machine:
# installs what is missing, builds, fetches the data, trains. A second run does no work twice.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# shellcheck source=hpc/packages.sh
source hpc/packages.sh

say "1/4 Tools"
require_build_tools
if ! have_mpi openmpi && ! have_mpi mpich && ! { install openmpi-bin libopenmpi-dev && have_mpi openmpi; }; then
  echo "no MPI: ranks talk over TCP (apt-get install openmpi-bin libopenmpi-dev brings it)"
fi
echo "JDK, Maven, C++ compiler, CMake and Ninja are here"

say "2/4 Build"
stamp=java/cli/target/quickstart-build.sha256
sources=$(fingerprint pom.xml .mvn cmake CMakeLists.txt CMakePresets.json native-src java)
if [[ -f $stamp && $(<"$stamp") == "$sources" ]] && hpc/lockstep --version >/dev/null 2>&1; then
  echo "the build is up to date"
else
  mvn -B -q -pl java/cli -am package -DskipTests || fail "the build failed; the lines above say where"
  echo "$sources" >"$stamp"
fi
hpc/lockstep --version

say "3/4 Data"
data=$(heat_budget_file .cache/data) ||
  fail "cannot get esku_heat_budget.cdf; please install it: apt-get install ferret-datasets"
hpc/lockstep data describe "$data"

say "4/4 Training on two ranks"
run=runs/heat-flux
configuration=$(printf '%s %s %s\n' "$sources" "$(fingerprint examples/heat-flux.yaml)" "$(sha256sum <"$data")")
if [[ -f $run/.quickstart && $(<"$run/.quickstart") == "$configuration" && -f $run/model.pt && -f $run/summary.json ]]; then
  echo "$run holds this very training already; remove it to train again"
  hpc/lockstep summary "$run"
else
  rm -rf "$run"
  hpc/lockstep launch -n 2 -- train examples/heat-flux.yaml --set "data.path=$data" ||
    fail "training failed; the line above says why"
  echo "$configuration" >"$run/.quickstart"
fi

echo
echo "The loss is plotted in $run/loss.png, predictions against the truth in $run/prediction.png."
echo "Python and C++ load $run/model.pt with torch.jit.load."
