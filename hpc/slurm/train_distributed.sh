#!/usr/bin/env bash
#SBATCH --job-name=lockstep-train-2
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=2
#SBATCH --time=01:00:00
#SBATCH --signal=TERM@120
# Trains on two nodes, two ranks each.
# Usage, from the repository: sbatch hpc/slurm/train_distributed.sh [CONFIG] [ARGUMENTS]
set -euo pipefail
# shellcheck source=hpc/slurm/environment.sh
source "${LOCKSTEP_HOME:-${SLURM_SUBMIT_DIR:-$PWD}}/hpc/slurm/environment.sh"

configuration=${1:-$LOCKSTEP_HOME/examples/heat-flux.yaml}
(($# == 0)) || shift
on_every_task train "$configuration" "$@"
