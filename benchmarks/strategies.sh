#!/usr/bin/env bash
# What each way of training together gives on the heat fluxes, on 4 ranks: R² of each flux, how far the worst is from
# data-parallel's, and the payload of a rank's reductions. Usage: benchmarks/strategies.sh [RANKS [EPOCHS]]
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
# shellcheck source=hpc/packages.sh
source hpc/packages.sh

ranks=${1:-4}
epochs=${2:-30}
data=$(heat_budget_file .cache/data)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# run NAME KEY=VALUE...: trains, and prints nothing but errors.
run() {
  local name=$1 overrides=()
  shift
  for key in "$@"; do overrides+=(--set "strategy.$key"); done
  hpc/lockstep launch -n "$ranks" -- train examples/heat-flux.yaml --name "$name" --set "data.path=$data" \
    --set "training.epochs=$epochs" --set "output.folder=$folder" --set output.plots=false --set output.progress=none \
    --set threads=1 "${overrides[@]}" >"$folder/$name.log" 2>&1 || { cat "$folder/$name.log" >&2 && exit 1; }
}

run data_parallel fused=false
run sharding fused=false sharding=1
run local_sgd type=local_sgd average_every=50
run elastic_averaging type=elastic_averaging every=10
run diloco type=diloco every=50
run diloco_bf16 type=diloco every=50 sent=bf16
run diloco_streaming type=diloco every=60 fragments=4 delay=5 inner_share=0.5

python3 - "$folder" <<'PYTHON'
import json, re, sys, pathlib

folder = pathlib.Path(sys.argv[1])
names = ["data_parallel", "sharding", "local_sgd", "elastic_averaging", "diloco", "diloco_bf16", "diloco_streaming"]

def read(name):
    r2 = json.loads((folder / name / "summary.json").read_text())["r2"]
    reduced = 0
    for line in (folder / name / "metrics.prom").read_text().splitlines():
        found = re.match(r'lockstep_communication_payload_bytes_total\{.*operation="(all-reduce|reduce-scatter)".*\} (\S+)', line)
        if found:
            reduced += float(found.group(2))
    return r2, reduced

first, bytes_of_first = read(names[0])
print(f"{'':18} " + " ".join(f"{flux:>7}" for flux in first) + f" {'worst':>8} {'MB reduced':>11} {'share':>7}")
for name in names:
    r2, reduced = read(name)
    worst = min(r2[flux] - first[flux] for flux in first)
    print(f"{name:18} " + " ".join(f"{r2[flux]:7.4f}" for flux in first)
          + f" {worst:+8.4f} {reduced / 1e6:11.2f}    1/{bytes_of_first / reduced:.1f}")
PYTHON
