#!/bin/sh
# in-private-namespace.sh [--] command args...
#
# Runs the command in network and mount namespaces of its own, so that nothing it does to interfaces, routes, sysctls, /run
# or /var/lib reaches the machine. Root's own with `unshare -nm`; anybody else's with `unshare -Urnm`, where the files of the
# real root show uid 65534. There is no way out to a network from inside: download and build first.
#
# A shell script, because it can become unshare, which becomes the command: one process, so that signals, exit status and
# terminal need no passing on, and no wrapper can die and leave the command behind.
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
  # Tried apart from the command, whose own failure must not read as a kernel that forbids namespaces.
  # shellcheck disable=SC2086 # $namespaces is a list of options
  refusal=$(unshare $namespaces true 2>&1) || fail "this kernel lets us have no private namespaces ($refusal).
Run it as root, or allow them to users, which is one of these, by distribution:
  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
  sysctl -w kernel.unprivileged_userns_clone=1
  sysctl -w user.max_user_namespaces=10000
In a container: docker run --privileged, or --cap-add SYS_ADMIN --cap-add NET_ADMIN with --security-opt seccomp=unconfined."
  # shellcheck disable=SC2086
  exec unshare $namespaces sh "$0" --inside "$@"
}

# Empty folders in place of /run and /var/lib, in which the repository, the current folder and Node stay if they are there.
hide_folders() {
  repository=$(cd "$(dirname "$0")/.." && pwd -P)
  here=$(pwd -P)
  node=$(command -v node || true)
  [ -z "$node" ] || node=$(dirname "$(readlink -f "$node")")
  # Held open, they can still be reached when the folders above them are covered.
  exec 3<"$repository" 4<"$here" 5<"${node:-/}"
  for folder in /run /var/lib; do
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
    /run/* | /var/lib/*) ;;
    *) return 0 ;;
  esac
  [ ! -e "$2" ] || return 0 # the folder around it was kept
  mkdir -p "$2"
  mount --no-canonicalize --rbind "/proc/self/fd/$1" "$2" || fail "$2 cannot be kept visible"
}

# A node with one uplink. The kernel answers the pods' ARP for 169.254.1.1 only if it has a route there by another device,
# and an address of its own: without these IPv4 pods get no answer. Addresses are of the documentation ranges.
make_uplink() {
  ip link set lo up || fail 'lo cannot be brought up'
  ip link add uplink type veth peer name uplink-peer arp off || fail 'the kernel makes no veth interfaces'
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
# test/lab/namespaces/private-namespace.ts looks for this: only on a private /run can it name the namespace that we are in.
readlink /proc/self/ns/net >/run/podwire-private-namespace
exec "$@"
