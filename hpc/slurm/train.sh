#!/usr/bin/env bash
#SBATCH --job-name=lockstep-train
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=01:00:00
#SBATCH --signal=TERM@120
# Trains on one node, one rank, with as many threads as the task has CPUs.
# Usage, from the repository: sbatch hpc/slurm/train.sh [CONFIG] [ARGUMENTS]
set -euo pipefail
# shellcheck source=hpc/slurm/environment.sh
source "${LOCKSTEP_HOME:-${SLURM_SUBMIT_DIR:-$PWD}}/hpc/slurm/environment.sh"

configuration=${1:-$LOCKSTEP_HOME/examples/heat-flux.yaml}
(($# == 0)) || shift
on_every_task train "$configuration" --set "threads=${SLURM_CPUS_PER_TASK:-0}" "$@"
