# shellcheck shell=bash
# Becomes one rank of `lockstep launch`: run as `setsid bash -c THIS lockstep-rank COMMAND...`, so that its process
# group is its own. Standard input is a pipe that only the launcher holds. A guard in the same group reads it: each
# line is a signal for the whole group; its end means that the rank has ended or the launcher has died, however it
# died, and whatever is left of the group is killed. Being in the group, the guard keeps its number from being reused.
guard() {
  trap '' HUP INT QUIT TERM
  while read -r signal; do
    kill -s "$signal" 0
  done
  kill -s KILL 0
}
exec 3<&0 </dev/null
# In a subshell of its own so that the guard is no child of the rank, which may wait for its children.
(guard <&3 3<&- >/dev/null 2>&1 &)
exec 3<&-
exec "$@"
