# Namespaces, switch and links of a lab; sourced by netlab.
# The switch is a namespace too (LAB-switch, with a bridge), so that nothing of a lab is in the machine's own network,
# and removing the namespaces named LAB-… removes all of it.

fail() {
  echo "netlab: $1" >&2
  exit 1
}

require_tools() {
  command -v ip >/dev/null && command -v tc >/dev/null || fail "ip and tc are needed; install iproute2"
  ((EUID == 0)) || fail "network namespaces need root; run it as root or by sudo"
  local probe=netlab-probe-$$ said code=0
  said=$({ ip netns add "$probe" && ip netns exec "$probe" true; } 2>&1) || code=$?
  ip netns delete "$probe" 2>/dev/null || true
  # Containers without CAP_SYS_ADMIN have no namespaces, and a chroot has none that commands can run in.
  ((code == 0)) || fail "no command can run in a network namespace here: ${said//$'\n'/; }"
}

check_name() {
  [[ $1 =~ ^[a-z][a-z0-9]{0,15}$ ]] || fail "'$1' is no name of a lab: a letter and up to 15 letters and digits, lower case"
}

address_of() { echo "10.77.0.$(($1 + 1))"; }

# The lab's hosts in their order.
hosts_of() {
  local name
  ip netns list | while read -r name _; do
    [[ $name =~ ^$1-([0-9]+)$ ]] && echo "${BASH_REMATCH[1]}"
  done | sort -n
}

require_host() {
  [[ -e /run/netns/$1-$2 ]] || fail "lab '$1' has no host '$2'"
}

# The link options of the command line, in these variables.
read_link_options() {
  rate=1gbit burst=128kb queue=20ms delay="" jitter="" loss="" reorder=""
  while (($#)); do
    case $1 in
      --rate | --burst | --queue | --delay | --jitter | --loss | --reorder)
        (($# > 1)) || fail "$1 needs a value"
        printf -v "${1#--}" %s "$2"
        shift 2
        ;;
      *) fail "unknown link option '$1'" ;;
    esac
  done
  [[ -z $reorder || -n $delay ]] || fail "--reorder needs --delay: what is reordered overtakes what is delayed"
}

bring_up() {
  local lab=${1:-} hosts=${2:-} host
  check_name "$lab"
  [[ $hosts =~ ^[0-9]+$ ]] && ((hosts >= 1 && hosts <= 200)) || fail "the number of hosts is '$hosts'; it must be 1 to 200"
  shift 2
  read_link_options "$@"
  [[ ! -e /run/netns/$lab-switch ]] || fail "lab '$lab' is up already; netlab down $lab removes it"
  ip netns add "$lab-switch"
  ip -n "$lab-switch" link add switch type bridge
  ip -n "$lab-switch" link set switch up
  for ((host = 0; host < hosts; host++)); do
    ip netns add "$lab-$host"
    ip -n "$lab-$host" link add eth0 type veth peer name "port$host" netns "$lab-switch"
    ip -n "$lab-$host" address add "$(address_of "$host")/24" dev eth0
    ip -n "$lab-$host" link set lo up
    ip -n "$lab-$host" link set eth0 up
    ip -n "$lab-switch" link set "port$host" up
    apply_shape "$lab" "$host"
  done
}

shape_link() {
  local lab=${1:?LAB is missing} host=${2:?HOST is missing}
  require_host "$lab" "$host"
  shift 2
  read_link_options "$@"
  apply_shape "$lab" "$host"
}

# Rate in both directions by tbf. Delay and loss are added where a packet leaves the switch: the sender's kernel has
# let go of it there, while a delay in the sender's own queue would count against its socket (TCP small queues) and
# slow it down.
apply_shape() {
  local lab=$1 host=$2 switch=$1-switch port=port$2
  stop_relay "$lab" "$host"
  ip netns exec "$lab-$host" tc qdisc replace dev eth0 root handle 1: tbf rate "$rate" burst "$burst" latency "$queue"
  ip netns exec "$switch" tc qdisc del dev "$port" root 2>/dev/null || true
  ip netns exec "$switch" tc qdisc replace dev "$port" root handle 1: tbf rate "$rate" burst "$burst" latency "$queue"
  if [[ -z $delay$loss ]]; then
    ip -n "$switch" link set "$port" master switch
  elif ip netns exec "$switch" tc qdisc add dev "$port" parent 1:1 handle 2: netem limit 100000 \
    ${delay:+delay "$delay" ${jitter:+"$jitter"}} ${loss:+loss "$loss"} ${reorder:+reorder "$reorder"} 2>/dev/null; then
    ip -n "$switch" link set "$port" master switch
  else
    start_relay "$lab" "$host"
  fi
}

# For kernels without netem: a process between the switch and the port (relay.cc) that delays, drops and reorders.
start_relay() {
  local lab=$1 host=$2 switch=$1-switch port=port$2 program
  program=${NETLAB_RELAY:-$here/../../build/release/bin/netlab_relay}
  [[ -x $program ]] || fail "this kernel has no netem, and $program is not built: cmake --build --preset release --target netlab_relay"
  ip -n "$switch" link set "$port" nomaster
  ip -n "$switch" link add "in$host" type veth peer name "out$host"
  ip -n "$switch" link set "in$host" master switch
  ip -n "$switch" link set "in$host" up
  ip -n "$switch" link set "out$host" up
  # Packets of a wire's size, so that a loss is the loss of one.
  ip -n "$lab-$host" link set eth0 gso_max_segs 1
  ip netns exec "$switch" "$program" "out$host" "$port" "${delay:-0ms}" "${jitter:-0ms}" "${loss:-0%}" "${reorder:-0%}" \
    </dev/null >/dev/null &
  disown # or bash would report its end
}

stop_relay() {
  local lab=$1 host=$2 pid
  ip -n "$lab-switch" link show "in$host" >/dev/null 2>&1 || return 0
  for pid in $(ip netns pids "$lab-switch"); do
    if [[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *" out$host port$host "* ]]; then kill "$pid"; fi
  done
  ip -n "$lab-switch" link del "in$host"
  ip -n "$lab-$host" link set eth0 gso_max_segs 65535
}

set_link() {
  require_host "$1" "$2"
  ip -n "$1-switch" link set "port$2" "$3"
}

# Whatever runs in a lab's namespaces was started there, so it ends with them.
bring_down() {
  local name pid
  check_name "$1"
  ip netns list | while read -r name _; do
    [[ $name =~ ^$1-([0-9]+|switch)$ ]] || continue
    for pid in $(ip netns pids "$name"); do kill -KILL "$pid" 2>/dev/null || true; done
    ip netns delete "$name"
  done
}
