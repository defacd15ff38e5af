#!/usr/bin/env bash
#SBATCH --job-name=lockstep-check
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --time=00:05:00
# Checks all-reduce and broadcast between two nodes.
# Usage, from the repository: sbatch hpc/slurm/test_distributed.sh
set -euo pipefail
# shellcheck source=hpc/slurm/environment.sh
source "${LOCKSTEP_HOME:-${SLURM_SUBMIT_DIR:-$PWD}}/hpc/slurm/environment.sh"

on_every_task check "$@"
