#!/usr/bin/env bash
# Starts N ranks by hand, as four shells with RANK=... would, without the launcher: launch_ddp.sh N [ADDR] [PORT]
# [-- TRAIN ARGUMENTS]. FIRST_RANK and WORLD_SIZE spread a group over hosts: on the second of two hosts with two ranks
# each, run `FIRST_RANK=2 WORLD_SIZE=4 LOCKSTEP_TOKEN=... hpc/launch_ddp.sh 2 head 29500`.
set -euo pipefail

usage() {
  echo "usage: hpc/launch_ddp.sh N [ADDR] [PORT] [-- TRAIN ARGUMENTS]" >&2
  exit 2
}

[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || usage
ranks=$1
shift
address=127.0.0.1
port=29500
if (($#)) && [[ $1 != -- ]]; then address=$1 && shift; fi
if (($#)) && [[ $1 != -- ]]; then port=$1 && shift; fi
[[ $port =~ ^[1-9][0-9]{0,4}$ ]] || usage
if (($#)); then
  [[ $1 == -- ]] || usage
  shift
fi

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
arguments=("$@")
((${#arguments[@]})) || arguments=("$here/../examples/heat-flux.yaml")
# One secret for all ranks of this job; hosts that join by hand need the same.
export LOCKSTEP_TOKEN=${LOCKSTEP_TOKEN:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
export MASTER_ADDR=$address MASTER_PORT=$port WORLD_SIZE=${WORLD_SIZE:-$ranks} LOCAL_WORLD_SIZE=$ranks
first=${FIRST_RANK:-0}

declare -A running=()
end_all() { kill -s "$1" "${!running[@]}" 2>/dev/null || true; }
trap 'end_all TERM' TERM
trap 'end_all INT; end_all TERM' INT
for ((local_rank = 0; local_rank < ranks; local_rank++)); do
  RANK=$((first + local_rank)) LOCAL_RANK=$local_rank "$here/lockstep" train "${arguments[@]}" &
  running[$!]=1
done

# The first rank that fails ends the others; its code is the script's. `wait -n` only wakes: it forgets ranks that ended
# before it was called, and a signal interrupts it; what has ended is looked up.
status=0
while ((${#running[@]})); do
  wait -n "${!running[@]}" 2>/dev/null || true
  for pid in "${!running[@]}"; do
    if kill -0 "$pid" 2>/dev/null; then continue; fi
    code=0
    wait "$pid" 2>/dev/null || code=$?
    unset "running[$pid]"
    if ((code != 0 && status == 0)); then
      status=$code
      ((${#running[@]} == 0)) || end_all TERM
    fi
  done
done
exit "$status"
