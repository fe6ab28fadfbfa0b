#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# create: a new VM's file says what was given and nothing else; what is bad
# is refused and leaves nothing.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

file_is() { diff -u - "$vms/$1.ini"; }
# refuses STATUS TEXT ARG...: one line, no file
refuses()
{
	want=$1 text=$2
	shift 2
	before=$(ls -A "$vms")
	vmward create "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls -A "$vms")" "$before"
}

mkdir -p "$vms"
printf stale >"$vms/old.ini.vmward-new"
printf mine >"$vms/mine.ini.tmp"
daemon

ok "what a killed create left is gone" test ! -e "$vms/old.ini.vmward-new"
ok "what others left stays" test -e "$vms/mine.ini.tmp"

vmward create web --base debian.qcow2 --size 10G --memory 2G --cpus 2 \
	--forward '8080:80, 2222:22' --ready tcp:22 vm.tags=prod \
	'vm.description=a; b'
ok "made" exits 0
ok "the file is what was given" file_is web <<'EOS'
[vm]
memory = 2G
cpus = 2
tags = prod
description = "a; b"

[disk.root]
base = debian.qcow2
size = 10G

[net.lan]
forward = 8080:80, 2222:22

[start]
ready = tcp:22
EOS
ok "it says where" says "; $vms/web.ini"
ok "and what is next" says 'vmward start web --wait'
vmward list
ok "it is known at once" grep -qE '^web +stopped .* 2G ' "$tmp/out"
ok "anybody may read it" is "$(stat -c %a "$vms/web.ini")" 644
ok "nothing else is there" is "$(ls -A "$vms")" "mine.ini.tmp
web.ini"

vmward create shown --size 1G --print
ok "--print only prints" output_is <<'EOS'
[disk.root]
size = 1G
EOS
ok "--print writes nothing" test ! -e "$vms/shown.ini"
vmward --dry-run create shown --size 1G
ok "nor does --dry-run" test ! -e "$vms/shown.ini"
vmward --json create shown --size 1G
ok "--json has the text" is "$(jq -r '.[0].text' "$tmp/out")" \
	"$(cat "$vms/shown.ini")"
(cd "$tmp" && "$BUILD/vmward" --root "$tmp" create here \
	--image ./disk.qcow2) >/dev/null
ok "a path is made absolute" grep -qx "image = $tmp/./disk.qcow2" \
	"$vms/here.ini"
vmward create direct --kernel "$tmp/kernel" vm.memory=64M vm.accel=tcg
vmward start direct
ok "what was made starts" exits 0
q vm-status direct
ok "and runs" says '"state":"running"'

pubkey='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINelujXZXs0y4M1HlybdP5PD'
printf '%s 50%% of; ann@pc\n' "$pubkey" >"$tmp/ann.pub"
vmward create cloud --base debian.qcow2 --hostname www \
	--user ann --ssh-key "$tmp/ann.pub" --packages vim,htop net.lan.user=yes
ok "a cloud image" exits 0
ok "[seed] has the key itself" file_is cloud <<EOS
[disk.root]
base = debian.qcow2

[seed]
hostname = www
user = ann
ssh-key = "$pubkey 50%% of; ann@pc"
packages = vim,htop

[net.lan]
user = yes
EOS
vmward show cloud
ok "which reads as one" says "$pubkey"
vmward create quick --kernel "$tmp/kernel" vm.memory=64M vm.accel=tcg --start
ok "--start: made and started" exits 0
ok "there is no other next step" sh -c "! grep -q next '$tmp/out'"
q vm-status quick
ok "it runs" says '"state":"running"'
vmward create later --kernel "$tmp/kernel" --print --start
ok "--print starts nothing" test ! -e "$vms/later.ini"

printf '%s\n%s\n' "$pubkey a" "$pubkey b" >"$tmp/two.pub"
printf '%s\n' '-----BEGIN OPENSSH PRIVATE KEY-----' AAAA >"$tmp/private"
printf 'a\0b' >"$tmp/binary"
ok "refused: two keys" refuses 2 'the file has several lines' x --size 1G \
	--ssh-key "$tmp/two.pub"
ok "refused: a private key" refuses 2 'ends in .pub' x --size 1G \
	--ssh-key "$tmp/private"
ok "refused: no text" refuses 2 'is no text' x --size 1G \
	--ssh-key "$tmp/binary"
ok "refused: no such file" refuses 2 'cannot open' x --size 1G \
	--ssh-key "$tmp/nowhere"
ok "refused: a bad host name, with its line" refuses 1 \
	'x.ini:5: [seed] hostname = a_b: say' x --size 1G --hostname a_b
ok "--network is its network" refuses 1 "[net.lan] network: no network 'nosuch'" x \
	--size 1G --network nosuch
ok "refused: a bad user" refuses 1 '[seed] user = A' x --size 1G --user A

ok "refused: it exists" refuses 1 'exists already' web --size 1G
ok "refused: a bad name" refuses 2 'no name of a VM' 'We b' --size 1G
ok "refused: ../" refuses 2 'no name of a VM' ../x --size 1G
ok "refused: an empty name" refuses 2 'no name of a VM' '' --size 1G
ok "refused: too long" refuses 2 'no name of a VM' \
	"$(printf '%033d' 0)" --size 1G
ok "refused: an instance" refuses 2 'no name of a VM' x@1 --size 1G
ok "refused: nothing given" refuses 2 'say at least' x
ok "refused: nothing to boot" refuses 1 'nothing to boot' x --memory 1G
ok "refused: a bad value, with its line" \
	refuses 1 'x.ini:2: [vm] memory = lots' x --memory lots
ok "refused: an unknown key" refuses 1 "unknown key 'bogus'" x vm.bogus=1
ok "refused: an unknown section" refuses 1 'bogus' x bogus.key=1
ok "refused: no section" refuses 2 'is not SECTION.KEY' x memory=1G
ok "refused: twice" refuses 2 'disk.root.size is given twice' \
	x --size 1G disk.root.size=2G
ok "refused: two lines" refuses 1 'one line' x --size 1G \
	"vm.description=a
b"
ok "refused: a key that would be a header" \
	refuses 2 'say SECTION.KEY' x --size 1G 'vm.a]=b'
ok "refused: the one that is there is whole" grep -qx 'memory = 2G' \
	"$vms/web.ini"
mv "$vms" "$vms.away"
ln -s /proc/self "$vms"
vmward create nowhere --size 1G
ok "where nothing can be written: exit 1" exits 1
ok "it says what" complains 'nowhere.ini'
rm "$vms"
mv "$vms.away" "$vms"
plan
