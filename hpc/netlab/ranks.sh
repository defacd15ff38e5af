# Commands and ranks on the hosts of a lab; sourced by netlab.

# A host has a name of its own too, for programs that tell hosts apart by it. The namespaces share /dev/shm and the
# machine's boot id: LOCKSTEP_HOST says that they are different hosts all the same.
on_host() {
  local lab=${1:?LAB is missing} host=${2:?HOST is missing}
  shift 2
  require_host "$lab" "$host"
  (($#)) || fail "no command for host $host"
  LOCKSTEP_HOST=$lab-$host exec ip netns exec "$lab-$host" \
    unshare --uts sh -c 'hostname "$LOCKSTEP_HOST" && exec "$@"' sh "$@"
}

run_ranks() {
  local lab=${1:?LAB is missing} per_host=1 limit=600 hosts rank status failed=0
  shift
  while (($#)); do
    case $1 in
      --per-host) per_host=$2 && shift 2 ;;
      --timeout) limit=$2 && shift 2 ;;
      *) break ;;
    esac
  done
  (($#)) || fail "run: no command"
  mapfile -t hosts < <(hosts_of "$lab")
  ((${#hosts[@]})) || fail "there is no lab '$lab'"
  export WORLD_SIZE=$((${#hosts[@]} * per_host)) LOCAL_WORLD_SIZE=$per_host
  MASTER_ADDR=$(address_of 0)
  MASTER_PORT=${MASTER_PORT:-$((20000 + RANDOM % 10000))}
  LOCKSTEP_TOKEN=${LOCKSTEP_TOKEN:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
  export MASTER_ADDR MASTER_PORT LOCKSTEP_TOKEN

  pids=()
  # Only what was started here; in case netlab itself is ended.
  trap '((${#pids[@]} == 0)) || kill "${pids[@]}" 2>/dev/null || true' EXIT
  for ((rank = 0; rank < WORLD_SIZE; rank++)); do
    (
      trap - EXIT
      export RANK=$rank LOCAL_RANK=$((rank % per_host))
      on_host "$lab" "$((rank / per_host))" timeout --foreground "$limit" "$@" > >(prefix "$rank") 2> >(prefix "$rank" >&2)
    ) &
    pids+=($!)
  done
  for ((rank = 0; rank < WORLD_SIZE; rank++)); do
    status=0
    wait "${pids[rank]}" || status=$?
    ((status == 0)) || echo "netlab: rank $rank ended with exit code $status" >&2
    ((failed)) || failed=$status
  done
  pids=()
  return "$failed"
}

prefix() { exec sed -u "s/^/[$1] /"; }

measure_stream() {
  local lab=${1:?LAB is missing} seconds=5 receiver
  shift
  while (($#)); do
    case $1 in
      --seconds) seconds=$2 && shift 2 ;;
      *) fail "stream: unknown option '$1'" ;;
    esac
  done
  require_host "$lab" 1
  on_host "$lab" 1 timeout "$((seconds + 20))" python3 "$here/stream.py" receive "$seconds" &
  receiver=$!
  (on_host "$lab" 0 timeout "$((seconds + 20))" python3 "$here/stream.py" send "$(address_of 1)")
  wait "$receiver"
}
