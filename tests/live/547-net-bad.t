#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input to networks, one row each: each is refused by one line that names
# its place and its cause, whether check reads it or a VM needs it; a VM on a
# network that is good starts beside all of them.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
[ "$(readlink /proc/self/ns/net)" != "$(readlink /proc/1/ns/net)" ] ||
	skip_all "not in a network namespace of its own"
networks=$tmp/etc/vmward/networks
mkdir -p "$networks"
ip addr add 10.88.0.7/24 dev lo

# ---- what the file itself says: LINES (; is a new line) | what is said ----
cat >"$tmp/files" <<'EOF'
address = 10.9.0.1/24, 10.9.0.129/25|10.9.0.1/24 and 10.9.0.129/25 overlap
address = 10.9.0.1/33|10.9.0.1/33
address = 10.9.0.1/31|a prefix from 8 to 30 holds guests
address = 10.9.0.1|10.9.0.1: say the host's address and the prefix
address = 10.9.0.0/24|is the network's own or its broadcast address
address = 10.9.0.1/24/7|10.9.0.1/24/7
address = fd00::1/48|prefix of 64
address = 300.9.0.1/24|300.9.0.1/24
address = 10.9.0.1/24;dhcp = 10.9.0.99-10.9.0.5|the first address is behind the last
address = 10.9.0.1/24;dhcp = 10.8.0.5-10.8.0.9|the range is not within one network of address
address = 10.9.0.1/24;dhcp = 10.9.0.1-10.9.0.9|the host's own address is in the range
address = 10.9.0.1/24;dhcp = 10.9.0.5|say FIRST-LAST of IPv4
address = 10.9.0.1/24;dhcp = 10.9.0.200-10.9.0.255|are no guest's
bridge = a-name-of-18-bytes|a-name-of-18-bytes
bridge = a/b|a/b
mode = natt|natt
mode = bridge|bridge needs bridge = NAME
mode = bridge;uplink = a-name-of-18-bytes|a-name-of-18-bytes
mode = bridge;uplink = an-uplink-of-15;vlan = 4000|an-uplink-of-15.4000
uplink = eth0|only mode = bridge has an uplink
mode = bridge;bridge = br0;address = 10.9.0.1/24|means nothing in mode = bridge
mode = bridge;uplink = eth0;vlan = 4095|4095
mode = bridge;uplink = eth0;vlan = 5;vlan-filtering = yes|exclude one another
vlan = 5|is a VLAN of the uplink
mtu = 70000|70000
mtu = 9k|9k
domain = a..b|a..b: say a domain
firewall = off|off
adress = 10.9.0.1/24|unknown key 'adress'
[host.a];mac = 52:54:00:00:00:01|needs ip
[host.a];mac = 52:54:00:00:00;ip = 10.9.0.5|52:54:00:00:00
address = 10.9.0.1/24;[host.a];mac = 52:54:00:00:00:01;ip = 10.8.0.5|is not within address
[bond];members = e0, e0|e0 is in it twice
[bond];mode = fastest;members = e0|fastest
EOF
refuses() # FILE TEXT: check does, by one line
{
	vmward check
	[ "$status" = 1 ] && cat "$tmp/out" "$tmp/err" >"$tmp/said" &&
		grep -qE "^networks/$1\.ini:[0-9]+: " "$tmp/said" &&
		grep -F "networks/$1.ini" "$tmp/said" | grep -qF -- "$2"
}
rows=0
refused=0
: >"$tmp/missed"
: >"$tmp/said"
up
while IFS='|' read -r lines says; do
	rows=$((rows + 1))
	{
		echo '[network]'
		echo "$lines" | tr ';' '\n' | sed 's/^ //'
	} >"$networks/bad.ini"
	if refuses bad "$says"; then
		refused=$((refused + 1))
	else
		{
			echo "$lines | $says"
			cat "$tmp/said"
		} >>"$tmp/missed"
	fi
done <"$tmp/files"
rm "$networks/bad.ini"
sed 's/^/# /' "$tmp/missed"
echo "# case=net-bad-files rows=$rows refused=$refused"
ok "each of $rows bad files is refused with its place and cause" \
	is "$refused" "$rows"
printf '[network]\n' >"$networks/a-network-of-19-by.ini"
ok "so is a name that makes the bridge's longer than 15 bytes" \
	refuses a-network-of-19-by 'the kernel takes 15'
rm "$networks/a-network-of-19-by.ini"
leave

# ---- what this host says: FILE (; is a new line) | nic | what is said ----
ip link add notbr type veth peer name notbr2
cat >"$tmp/hosts" <<'EOF'
address = 10.88.0.1/24|network = n%|overlaps 10.88.0.7/24, which this host has already
mode = bridge;uplink = nowhere0|network = n%|nowhere0
mode = bridge;bridge = nobr0|network = n%|there is no bridge 'nobr0'
mode = bridge;bridge = notbr|network = n%|'notbr' is no bridge
bridge = notbr2;address = 10.77.1.1/24|network = n%|there is a device 'notbr2' already
mode = isolated|bridge = nobr1|there is no bridge 'nobr1'
mode = isolated|macvtap = nowhere1|nowhere1
mode = isolated|network = n%;ip = 10.99.0.5|is no guest's address on network
mode = isolated|network = n%;vlan = 7|does not keep VLANs apart
EOF
rows=0
while IFS='|' read -r lines nic says; do
	rows=$((rows + 1))
	{
		echo '[network]'
		echo "$lines" | tr ';' '\n'
	} >"$networks/n$rows.ini"
	{
		echo '[net.lan]'
		echo "$nic" | sed "s/%/$rows/g" | tr ';' '\n'
	} | guest "v$rows" tcg
done <"$tmp/hosts"
guest good tcg <<EOF
[net.lan]
network = default
EOF
up
row=0
refused=0
while IFS='|' read -r lines nic says; do
	row=$((row + 1))
	vmward start "v$row"
	if [ "$status" != 0 ] && grep -qF -- "$says" "$tmp/err" &&
		[ "$(grep -c . "$tmp/err")" = 1 ]; then
		refused=$((refused + 1))
	else
		echo "# $lines, $nic: exit $status: $(cat "$tmp/err")"
	fi
done <"$tmp/hosts"
echo "# case=net-bad-hosts rows=$rows refused=$refused"
ok "each of $rows VMs that cannot have its nic says why in one line" \
	is "$refused" "$rows"
ok "a VM beside them starts" starts good
does kill good
ok "nothing of them is left" eventually is_gone_all
leave

# ---- dnsmasq, nft: missing, dying, refusing ----
mkdir "$tmp/bin"
for program in nft dnsmasq; do
	cat >"$tmp/bin/$program" <<-EOF
	#!/bin/sh
	echo "$program: out of order" >&2
	exit 1
	EOF
	chmod +x "$tmp/bin/$program"
	PATH=$tmp/bin:$PATH up
	fails_with 1 start good
	ok "$program that fails: its own words" complains 'out of order'
	ok "nothing of it is left" eventually is_gone_all
	leave
	rm "$tmp/bin/$program"
done
for program in qemu-img "$(command -v "${QEMU:-qemu-system-x86_64}")" ip nft; do
	ln -sf "$(command -v "$program")" "$tmp/bin/"
done
PATH_BEFORE=$PATH
only() # PROGRAM...: nothing else is on vmwardd's PATH
{
	cat >"$tmp/few" <<-EOF
	#!/bin/sh
	PATH=$tmp/bin exec "$BUILD/vmwardd" "\$@"
	EOF
	chmod +x "$tmp/few"
	vmwardd=$tmp/few up
}
only
fails_with 1 start good
ok "without dnsmasq: what to install" complains \
	'dnsmasq is not installed: apt-get install dnsmasq-base'
leave
rm "$tmp/bin/nft"
ln -sf "$(command -v dnsmasq)" "$tmp/bin/"
only
fails_with 1 start good
ok "without nft: what to install" complains \
	'nft is not installed: apt-get install nftables'
leave
PATH=$PATH_BEFORE
plan
