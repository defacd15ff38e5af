#!/usr/bin/env bash
# How mpirun reaches the hosts of a lab: mpirun --mca plm_rsh_agent hpc/netlab/rsh.sh --host 10.77.0.1,10.77.0.2 …
# within `netlab with` (NETLAB names the lab). Called as `rsh.sh HOST COMMAND…`, as ssh would be.
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
host=${1:?HOST is missing}
shift
exec "$here/netlab" exec "${NETLAB:?no lab; run mpirun within netlab with}" "$((${host##*.} - 1))" bash -c "$*"
