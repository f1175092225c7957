#!/bin/sh
# in-private-namespace.sh [--] command args...
#
# Runs the command in private network and mount namespaces, so that nothing it does to interfaces, routes, sysctls, /run
# or /var/lib affects the machine. For root this is `unshare -nm`; for other users `unshare -Urnm`, where files of the
# real root have uid 65534. The namespaces have no connection to any network: download and build everything first.
#
# This is a shell script, because it can replace itself with unshare, which replaces itself with the command. With one
# process, signals, exit status and terminal need no forwarding, and no wrapper can die and leave the command running.
set -eu

fail() {
  printf 'in-private-namespace: %s\n' "$*" >&2
  exit 125
}

enter() {
  [ "${1-}" = -- ] && shift
  [ $# -gt 0 ] || fail 'usage: scripts/in-private-namespace.sh [--] command args...'
  for needed in unshare:util-linux mount:mount ip:iproute2; do
    command -v "${needed%:*}" >/dev/null || fail "${needed%:*} is missing: apt-get install ${needed#*:}"
  done
  namespaces='--net --mount'
  [ "$(id -u)" = 0 ] || namespaces="--user --map-root-user $namespaces"
  # Try this separately: a failure of the command must not be mistaken for a kernel that forbids namespaces.
  # shellcheck disable=SC2086 # $namespaces is a list of options
  refusal=$(unshare $namespaces true 2>&1) || fail "this kernel does not permit private namespaces ($refusal).
Run this as root, or permit them for users, with one of these commands (it depends on the distribution):
  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
  sysctl -w kernel.unprivileged_userns_clone=1
  sysctl -w user.max_user_namespaces=10000
In a container: docker run --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN with --security-opt seccomp=unconfined."
  # shellcheck disable=SC2086
  exec unshare $namespaces sh "$0" --inside "$@"
}

# Mounts empty folders over /run and /var/lib. If the repository, the current folder or Node is below one of them, it
# stays visible.
hide_folders() {
  repository=$(cd "$(dirname "$0")/.." && pwd -P)
  here=$(pwd -P)
  node=$(command -v node || true)
  [ -z "$node" ] || node=$(dirname "$(readlink -f "$node")")
  # Open descriptors still reach these folders after the folders above them are covered.
  exec 3<"$repository" 4<"$here" 5<"${node:-/}"
  folders='/run /var/lib'
  # On most machines /var/run is a link to /run.
  if [ -d /var/run ] && [ "$(readlink -f /var/run)" != /run ]; then folders="$folders /var/run"; fi
  for folder in $folders; do
    mount -t tmpfs -o mode=0755 podwire-private "$folder" || fail "no tmpfs can be mounted on $folder"
  done
  keep 3 "$repository"
  keep 4 "$here"
  keep 5 "${node:-/}"
  exec 3<&- 4<&- 5<&-
  cd "$here"
  mkdir -p /run/lock
}

keep() {
  case $2/ in
    /run/* | /var/lib/* | /var/run/*) ;;
    *) return 0 ;;
  esac
  [ ! -e "$2" ] || return 0 # the folder around it was kept
  mkdir -p "$2"
  mount --no-canonicalize --rbind "/proc/self/fd/$1" "$2" || fail "cannot keep $2 visible"
}

# Creates an uplink, as a node has. The kernel only answers the pods' ARP requests for 169.254.1.1 if it has an address
# and a route to 169.254.1.1 through another device. All addresses are from the documentation ranges.
make_uplink() {
  ip link set lo up || fail 'cannot set lo up'
  ip link add uplink type veth peer name uplink-peer arp off || fail 'this kernel cannot create veth interfaces'
  ip link set uplink-peer addrgenmode none up
  ip link set uplink up
  ip address add 192.0.2.10/24 dev uplink
  ip route add default via 192.0.2.1
  if [ -d /proc/sys/net/ipv6 ]; then
    ip address add 2001:db8::10/64 dev uplink nodad
    ip -6 route add default via 2001:db8::1
  fi
}

if [ "${1-}" != --inside ]; then
  enter "$@"
fi
shift
hide_folders
make_uplink
# test/lab/namespaces/private-namespace.ts reads this file. Only on a private /run can it name the current namespace.
readlink /proc/self/ns/net >/run/podwire-private-namespace
exec "$@"
