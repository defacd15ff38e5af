#!/usr/bin/env bash
#SBATCH --job-name=lockstep-train-4
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2
#SBATCH --time=01:00:00
#SBATCH --signal=TERM@120
# Trains on four nodes, two ranks each. SIGTERM comes two minutes before the time limit: ranks write a checkpoint and
# the job asks to be queued again, where it resumes.
# Usage, from the repository: sbatch --requeue hpc/slurm/train_distributed_multinode.sh [CONFIG] [ARGUMENTS]
set -euo pipefail
# shellcheck source=hpc/slurm/environment.sh
source "${LOCKSTEP_HOME:-${SLURM_SUBMIT_DIR:-$PWD}}/hpc/slurm/environment.sh"

configuration=${1:-$LOCKSTEP_HOME/examples/heat-flux.yaml}
(($# == 0)) || shift
resume=()
((${SLURM_RESTART_COUNT:-0} == 0)) || resume=(--resume)
code=0
on_every_task train "$configuration" "${resume[@]}" "$@" || code=$?
if ((code == 85)); then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
