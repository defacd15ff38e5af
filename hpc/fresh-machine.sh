#!/usr/bin/env bash
# Tries the README's two commands on machines that have nothing: a minimal Debian (debootstrap --variant=minbase, plus
# git and the certificates that a clone needs) into which the committed HEAD is cloned.
#
#   hpc/fresh-machine.sh [--folder FOLDER] [--user root|user] [--command quickstart|test] [--suite NAME]
#                        [--maven-repository FOLDER] [--keep]
#
# There is one machine for each user, so that neither finds what the other has installed:
# - root runs hpc/quickstart.sh, then hpc/test.sh; both install what they need, and nothing may be missing.
# - The ordinary user has no sudo. quickstart.sh must end with the line that names the packages to install; root then
#   installs those, no others, and quickstart.sh and test.sh must pass. What needs more than these packages must be
#   skipped with its reason.
# --command test alone still has the build's packages installed, as an administrator would have done.
#
# The registries' configuration of this host is handed through: apt's sources, keys, proxy and certificates, the proxy
# variables of the environment, PIP_* and MAVEN_*, pip.conf, Maven's settings.xml, and local certificate authorities.
# Maven's local repository starts empty; --maven-repository copies one to save the downloads (Lockstep's own artifacts
# left out). Needs root, debootstrap, 12 GB in FOLDER (default: a new one in /var/tmp, removed afterwards unless
# something failed or --keep is given) and a system that allows namespaces; mounts live in a namespace of their own, so
# that nothing remains mounted. Logs are in FOLDER/logs. Exit code 0: everything passed; 1: something failed.
set -euo pipefail
repository=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")

fail() {
  echo "fresh-machine.sh: $1" >&2
  exit "${2:-1}"
}

folder='' suite='' maven_repository='' keep=''
users=(root user) commands=(quickstart test)
while (($#)); do
  [[ $1 == --keep ]] || (($# >= 2)) || fail "$1 needs a value; the head of this file says how to call it" 2
  case $1 in
    --folder) folder=$2 ;;
    --user) [[ $2 == root || $2 == user ]] || fail "--user is root or user, not $2" 2; users=("$2") ;;
    --command) [[ $2 == quickstart || $2 == test ]] || fail "--command is quickstart or test, not $2" 2; commands=("$2") ;;
    --suite) suite=$2 ;;
    --maven-repository) maven_repository=$2 ;;
    --keep) keep=1 && shift && continue ;;
    *) fail "unknown option $1; the head of this file says how to call it" 2 ;;
  esac
  shift 2
done
((EUID == 0)) || fail "debootstrap and chroot need root"
command -v debootstrap >/dev/null || fail "please install: debootstrap"
[[ -n $folder ]] || { folder=$(mktemp -d /var/tmp/lockstep-fresh-XXXXXX) && created=1; }
folder=$(readlink -m "$folder")
[[ $folder/ != "$repository"/* ]] || fail "$folder is inside of the repository; choose another folder"
mkdir -p "$folder/logs"
results=() failed=''
commit=$(git -C "$repository" rev-parse HEAD)

# The archive that this host's apt uses, so that proxies and mirrors are the same.
archive() {
  # shellcheck disable=SC2016 # apt's own placeholders
  apt-get indextargets --format '$(CODENAME) $(SITE)' 'Created-By: Packages' 2>/dev/null |
    awk -v suite="$suite" '$1 == suite && !found { print $2; found = 1 }'
}

# base_system: a minimal system with this host's registry configuration; made once, copied for each user.
base_system() {
  local base=$folder/base url
  [[ ! -f $base/.complete ]] || return 0
  # shellcheck source=/dev/null
  suite=${suite:-$(source /etc/os-release && echo "$VERSION_CODENAME")}
  url=$(archive)
  [[ -n $url ]] || fail "apt's sources of this host have no suite $suite"
  rm -rf "$base"
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$base" "$url" >"$folder/logs/debootstrap.log" 2>&1 ||
    fail "debootstrap failed; see $folder/logs/debootstrap.log"
  rm -rf "$base/etc/apt/sources.list" "$base/etc/apt/sources.list.d"
  local name
  for name in etc/apt/sources.list etc/apt/sources.list.d etc/apt/auth.conf.d etc/apt/keyrings etc/apt/trusted.gpg.d \
    usr/share/keyrings usr/local/share/ca-certificates etc/resolv.conf etc/hosts etc/pip.conf; do
    [[ ! -e /$name ]] || { mkdir -p "$base/$(dirname $name)" && cp -aL "/$name" "$base/$(dirname $name)/"; }
  done
  # How to fetch (proxies, certificates, dates), not what else this host wants of apt.
  apt-config dump | grep '^Acquire::[a-zA-Z:-]* "..*";$' | grep -v '^Acquire::IndexTargets' >"$base/etc/apt/apt.conf.d/90fetch" || true
  chroot "$base" update-ca-certificates >/dev/null 2>&1 || true
  chroot "$base" useradd -m -s /bin/bash user
  touch "$base/.complete"
}

# registry_environment: the variables, as NAME=VALUE lines, that tell this host's clients where the registries are.
registry_environment() { env | grep -iE '^(https?_proxy|no_proxy|ftp_proxy|all_proxy|PIP_[A-Z_]*|MAVEN_[A-Z_]*)=' || true; }

# inside MACHINE USER COMMAND...: runs it in the machine with its own /proc, /sys, /dev, /dev/shm and /dev/pts. All its
# processes end with it.
inside() {
  local machine=$1 user=$2 home=/root environment=()
  shift 2
  [[ $user == root ]] || home=/home/$user
  mapfile -t environment < <(registry_environment)
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --pid --ipc --fork --kill-child bash -c '
    set -e
    machine=$1; shift
    mount --make-rprivate /
    mount --bind "$machine" "$machine" # ip netns wants a root that is a mount
    mount -t proc proc "$machine/proc"
    mount -t sysfs -o ro sysfs "$machine/sys"
    mount -t tmpfs -o mode=755 dev "$machine/dev"
    mkdir "$machine/dev/pts" "$machine/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$machine/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$machine/dev/shm"
    for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
      read -r name major minor <<<"$node"
      mknod -m 666 "$machine/dev/$name" c "$major" "$minor"
    done
    ln -s pts/ptmx "$machine/dev/ptmx"
    ln -s /proc/self/fd "$machine/dev/fd"
    ln -s /proc/self/fd/0 "$machine/dev/stdin"
    ln -s /proc/self/fd/1 "$machine/dev/stdout"
    ln -s /proc/self/fd/2 "$machine/dev/stderr"
    exec chroot "$machine" "$@"
  ' inside "$machine" setpriv --reuid "$user" --regid "$user" --init-groups env -i \
    "HOME=$home" "USER=$user" LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    TERM=dumb "${environment[@]}" "$@" </dev/null
}

# machine_for USER: copies the base and clones into it. @return its folder in `machine`
machine_for() {
  local user=$1 home=root settings
  machine=$folder/$user
  [[ $user == root ]] || home=home/$user
  rm -rf "$machine"
  cp -a --reflink=auto "$folder/base" "$machine"
  git clone -q --no-hardlinks "$repository" "$machine/$home/lockstep"
  git -C "$machine/$home/lockstep" checkout -q --detach "$commit"
  mkdir -p "$machine/$home/.m2"
  for settings in ~/.m2/settings.xml /etc/maven/settings.xml; do
    [[ ! -f $settings ]] || { cp "$settings" "$machine/$home/.m2/settings.xml" && break; }
  done
  [[ ! -f ~/.m2/settings-security.xml ]] || cp ~/.m2/settings-security.xml "$machine/$home/.m2/"
  [[ ! -f ~/.config/pip/pip.conf ]] || install -D ~/.config/pip/pip.conf "$machine/$home/.config/pip/pip.conf"
  if [[ -n $maven_repository ]]; then
    cp -a --reflink=auto "$maven_repository" "$machine/$home/.m2/repository"
    rm -rf "$machine/$home/.m2/repository/dev/lockstep"
  fi
  chroot "$machine" chown -R "$user:$user" "/$home"
}

# try USER WHAT EXPECTED COMMAND...: runs it, logs it, and notes the result; EXPECTED is 0 or the exit code of a refusal.
try() {
  local user=$1 what=$2 expected=$3 begin=$SECONDS code=0 log result=passed
  shift 3
  log=$folder/logs/$user-${what// /-}.log
  echo "== $what as $user ($log)"
  inside "$machine" "$user" bash -c 'cd ~/lockstep && exec "$@"' try "$@" >"$log" 2>&1 || code=$?
  if ((code != expected)); then
    result="FAILED (exit code $code)" failed=1
    tail -n 15 "$log" | sed 's/^/   /'
  fi
  results+=("$(printf '%-5s %-28s %6d s  %s' "$user" "$what" $((SECONDS - begin)) "$result")")
  ((code == expected))
}

# administrator: installs the packages that quickstart.sh has just asked for.
administrator() {
  local line packages
  line=$(grep -o 'apt-get install [^)]*' "$folder/logs/user-quickstart-that-asks.log" | tail -n 1)
  read -ra packages <<<"${line#apt-get install }"
  ((${#packages[@]})) || { failed=1 && results+=("user  quickstart names no package") && return 1; }
  echo "== the administrator installs ${packages[*]}"
  inside "$machine" root env DEBIAN_FRONTEND=noninteractive bash -c 'apt-get -qq update && apt-get -qq -y install --no-install-recommends "$@"' \
    apt "${packages[@]}" >"$folder/logs/user-administrator.log" 2>&1 ||
    { failed=1 && results+=("user  $line failed, see its log") && return 1; }
}

base_system
for user in "${users[@]}"; do
  machine_for "$user"
  if [[ $user != root ]]; then
    if ! try "$user" "quickstart that asks" 1 bash hpc/quickstart.sh || ! administrator; then continue; fi
  fi
  for command in "${commands[@]}"; do
    try "$user" "$command" 0 bash "hpc/$command.sh" || true
    sed -n 's/^skipped: /   skipped: /p' "$folder/logs/$user-$command.log"
  done
  [[ -n $keep || -n $failed ]] || rm -rf "$machine"
done

echo
printf '%s\n' "${results[@]}"
if [[ -n $failed ]]; then
  echo "what failed is in $folder (logs/, and the machines themselves)"
  exit 1
fi
[[ -n $keep || -z ${created:-} ]] || rm -rf "$folder"
echo "passed on a fresh machine at $commit: ${commands[*]} as ${users[*]}"
