# shellcheck shell=bash
# Sourced by the job scripts: where the repository is, and where rank 0 listens, from SLURM's variables.

# SLURM runs a copy of the job script, so the repository is known by where the job was submitted, unless it is named.
LOCKSTEP_HOME=${LOCKSTEP_HOME:-${SLURM_SUBMIT_DIR:-$PWD}}
if [[ ! -x $LOCKSTEP_HOME/hpc/lockstep ]]; then
  echo "no hpc/lockstep under $LOCKSTEP_HOME; submit from the repository or set LOCKSTEP_HOME" >&2
  exit 2
fi

# first_host LIST: the first host of a list such as "gpu[003-007,12],login1" (scontrol's own answer when it is there).
first_host() {
  local hosts
  if hosts=$(scontrol show hostnames "$1" 2>/dev/null) && [[ -n $hosts ]]; then
    echo "${hosts%%$'\n'*}"
  else
    # Each bracket becomes its first element; then what stands before the first comma.
    hosts=$1
    while [[ $hosts =~ ^([^][,]*)\[([^],-]+)[^]]*\](.*) ]]; do
      hosts=${BASH_REMATCH[1]}${BASH_REMATCH[2]}${BASH_REMATCH[3]}
    done
    echo "${hosts%%,*}"
  fi
}

nodes=${SLURM_JOB_NODELIST:-$(hostname)}
MASTER_ADDR=$(first_host "$nodes")
# Jobs that share a head node get ports of their own, below the range from which the kernel hands ports out.
MASTER_PORT=${MASTER_PORT:-$((15000 + ${SLURM_JOB_ID:-0} % 15000))}
LOCKSTEP_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# libtorch is unpacked once a node, on the node's own disk.
LOCKSTEP_CACHE=${LOCKSTEP_CACHE:-${SLURM_TMPDIR:-${TMPDIR:-/tmp}}/lockstep-$(id -un)}
export LOCKSTEP_HOME MASTER_ADDR MASTER_PORT LOCKSTEP_TOKEN LOCKSTEP_CACHE

# on_every_task COMMAND...: one rank a task. SLURM's numbers become RANK and the like inside srun, where they are known.
on_every_task() {
  # shellcheck disable=SC2016 # expanded by each task's own shell
  srun --kill-on-bad-exit=1 bash -c '
    export RANK=$SLURM_PROCID WORLD_SIZE=$SLURM_NTASKS LOCAL_RANK=$SLURM_LOCALID
    tasks=${SLURM_STEP_TASKS_PER_NODE:-${SLURM_TASKS_PER_NODE:-1}}
    export LOCAL_WORLD_SIZE=${tasks%%[^0-9]*}
    mkdir -p "$LOCKSTEP_CACHE"
    exec "$LOCKSTEP_HOME/hpc/lockstep" "$@"' lockstep-task "$@"
}
