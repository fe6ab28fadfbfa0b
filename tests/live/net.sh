# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# For tests of networks: a network namespace of the test's own, with Linux
# guests that ask for addresses.
if [ -z "${NETNS-}" ]; then
	unshare -n true 2>/dev/null || {
		echo "1..0 # SKIP no right to make a network namespace"
		exit 0
	}
	NETNS=yes exec unshare -n sh "$0"
fi
# A test that goes on in the host's namespace flushes the host's rules: it goes
# on only where nothing but lo is, and what the kernel's tunnels put anywhere.
devices=$(sed '1,2d; s/^ *//; s/:.*//' /proc/self/net/dev | grep -vxE \
	'lo|(tunl|gre|gretap|erspan|ip_vti|ip6_vti|sit|ip6tnl|ip6gre)0')
if [ -n "$devices" ]; then
	echo "Bail out! $0: not in a network namespace of its own:" $devices
	exit 1
fi
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
for program in dnsmasq nft ip; do
	command -v "$program" >/dev/null || skip_all "no $program"
done
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
chmod 711 "$tmp" # dnsmasq reads there as nobody
# shellcheck disable=SC2034
patience=60
# shellcheck disable=SC2034
vmward_limit=150 # ready of a Linux guest under TCG may take two minutes
ip link set lo up

# linux NAME: NAME.ini; more lines of [net.lan] come from stdin
linux()
{
	cat >"$vms/$1.ini" <<-EOT
	[vm]
	memory = 128M
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1 name=%n
	[start]
	ready = ${ready-serial:^NET eth0}
	[net.lan]
	network = default
	EOT
	cat >>"$vms/$1.ini"
}

tables() { nft list tables | grep -c vmward || :; }
taps() { ip -o link show type tun 2>/dev/null | wc -l; }
dnsmasqs() { pgrep -f "^dnsmasq --conf-file=$run/"; }
address_of() # NAME: as dnsmasq gave it
{
	awk -v name="$1" '$4 == name { print $3 }' \
		"$tmp/var/lib/vmward/networks/default.leases"
}
end_net()
{
	for pid in $vmwardd_pid $(dnsmasqs); do
		kill -9 "$pid" 2>/dev/null
	done
	end_live
}
trap end_net EXIT
is_taps() { is "$(taps)" "$1"; }
is_gone_all()
{
	[ "$(tables)" = 0 ] && [ "$(taps)" = 0 ] && ! dnsmasqs >"$tmp/left" &&
		! ip link show vw-default >>"$tmp/left" 2>&1
}

# a_world: another namespace, behind a pair of devices: 192.0.2.2
a_world()
{
	mkfifo "$tmp/hold"
	unshare -n cat "$tmp/hold" &
	world=$!
	started="$started $world"
	exec 8>"$tmp/hold"
	eventually other_net
	ip link add up0 type veth peer name eth0 netns "$world"
	ip addr add 192.0.2.1/24 dev up0
	ip link set up0 up
	in_world ip addr add 192.0.2.2/24 dev eth0
	in_world ip link set eth0 up
	in_world ip link set lo up
}
other_net()
{
	[ "$(readlink "/proc/$world/ns/net")" != "$(readlink /proc/$$/ns/net)" ]
}
in_world() { nsenter -t "$world" -n "$@"; }
