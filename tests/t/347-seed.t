#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [seed]: the volume says what the file says, is made anew when that or a
# named file changes, and a death while it is made leaves the old one.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
command -v xorriso >/dev/null || skip_all "no xorriso"

seeds=$tmp/var/lib/vmward/seeds
pubkey='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINelujXZXs0y4M1HlybdP5PD'

# extract NAME: the files of its volume into $tmp/seed
extract()
{
	chmod -R u+w "$tmp/seed" 2>/dev/null
	rm -rf "$tmp/seed"
	xorriso -no_rc -osirrox on -indev "$seeds/$1.iso" \
		-extract / "$tmp/seed" >"$tmp/xorriso.log" 2>&1
}
label() { dd if="$1" bs=1 skip=32808 count=6 2>/dev/null; }
config() { tail -n +2 "$tmp/seed/user-data" | jq -r "$1"; }
meta() { jq -r "$1" "$tmp/seed/meta-data"; }
inode() { stat -c %i "$seeds/$1.iso"; }
again() # NAME: down, and up again
{
	q vm-kill "$1" && q vm-start "$1"
}
seed() # NAME: its [seed] comes from stdin
{
	{
		echo '[seed]'
		cat
	} | vm "$1"
	q reload
}
fails() # STATUS TEXT ARG...
{
	want=$1 text=$2
	shift 2
	vmward "$@"
	exits "$want" && complains "$text"
}

mkdir -p "$seeds/torn.iso.files/x"
chmod 700 "$seeds"
: >"$seeds/torn.iso.new"
: >"$seeds/torn.iso"
printf '%s ann\n' "$pubkey" >"$tmp/keys.pub"
daemon
ok "what a killed one left is gone" is "$(ls "$seeds")" torn.iso

seed web <<EOS
user = ann
ssh-key = $tmp/keys.pub
packages = vim
EOS
ok "it starts" q vm-start web
ok "only root may read it" is "$(stat -c %a "$seeds/web.iso")" 600
ok "nor look around there" is "$(stat -c %a "$seeds")" 700
ok "named as cloud-init looks for it" is "$(label "$seeds/web.iso")" CIDATA
ok "it can be read" extract web
ok "two files" is "$(ls "$tmp/seed")" "meta-data
user-data"
ok "the key" is "$(config '.ssh_authorized_keys[0]')" "$pubkey ann"
ok "the user" is "$(config .user.name)" ann
ok "the packages" is "$(config '.packages[0]')" vim
ok "the host name" is "$(meta '.["local-hostname"]')" web
ok "nothing else is left" is "$(ls "$seeds")" "torn.iso
web.iso"
vmward disk list web
ok "the guest has it, read-only" grep -q '^seed' "$tmp/out"
first=$(meta '.["instance-id"]')

was=$(inode web)
again web
ok "nothing changed: it stays" is "$(inode web)" "$was"
sed -i 's/^user = .*/&\nhostname = other.example.org/' "$vms/web.ini"
again web
extract web
ok "a new host name" is "$(meta '.["local-hostname"]')" other.example.org
ok "is no new instance" is "$(meta '.["instance-id"]')" "$first"
printf '%s bob\n' "$pubkey" >>"$tmp/keys.pub"
again web
extract web
ok "a named file changed" is "$(config '.ssh_authorized_keys[1]')" "$pubkey bob"
ok "that is a new instance" test "$(meta '.["instance-id"]')" != "$first"
vmward plan web
ok "nothing is pending" exits 0
q vm-kill web

printf 'version: 2\n' >"$tmp/net"
printf '#!/bin/sh\n' >"$tmp/user"
printf 'instance-id: mine\n' >"$tmp/meta"
seed files <<EOS
user-data = $tmp/user
meta-data = $tmp/meta
network-config = $tmp/net
EOS
q vm-start files
extract files
ok "files go in as they are" sh -c "cmp '$tmp/user' '$tmp/seed/user-data' &&
	cmp '$tmp/meta' '$tmp/seed/meta-data' &&
	cmp '$tmp/net' '$tmp/seed/network-config'"
q vm-kill files

# ---- what cannot be ----

seed bad <<EOS
ssh-key = $tmp/nowhere.pub
EOS
vmward check bad
ok "check says the line" says "bad.ini:6: [seed] ssh-key: cannot open"
ok "a start says it too" fails 1 '[seed] ssh-key: cannot open' start bad
ok "nothing was made" test ! -e "$seeds/bad.iso"
printf 'user = Ann\n' | seed bad
ok "a bad value has its line" fails 1 'bad.ini:6: [seed] user = Ann' \
	start bad

was=$(inode web)
printf '#!/bin/sh\necho no room >&2\nexit 3\n' >"$tmp/bin/xorriso"
chmod +x "$tmp/bin/xorriso"
sed -i 's/^hostname = .*/hostname = third/' "$vms/web.ini"
ok "xorriso's own words" fails 1 'xorriso ended by exit 3: no room' start web
ok "the old volume is whole" is "$(inode web)" "$was"
ok "and alone" is "$(ls "$seeds")" "files.iso
torn.iso
web.iso"

# ---- half way ----

: >"$tmp/tool"
cat >"$tmp/bin/xorriso" <<EOS
#!/bin/sh
while [ "\$1" != -o ]; do shift; done
echo part >"\$2"
echo "pid \$\$" >"$tmp/tool"
exec sleep 1000
EOS
background start qmp \
	'>{"execute":"vm-start","arguments":{"vm":"web"}}' '<"'
wait_for "$tmp/tool" pid
read -r _ tool <"$tmp/tool"
ok "it is being made" test -s "$seeds/web.iso.new"
daemon_ends KILL
ok "xorriso dies with us" gone "$tool"
rm "$tmp/bin/xorriso"
daemon
becomes web running
ok "nothing half made is left" is "$(ls "$seeds")" "files.iso
torn.iso
web.iso"
extract web
ok "the start that was asked for makes the new one" is "$(meta '.["local-hostname"]')" third
printf '#!/bin/sh\nexit 3\n' >"$tmp/bin/xorriso"
chmod +x "$tmp/bin/xorriso"
sed -i 's/^hostname = .*/hostname = fourth/' "$vms/web.ini"
kill -9 "$(pid_of web)"
wait_for "$tmp/var/log/vmward/web/vm.log" 'the seed stays as it was'
becomes web running
extract web
ok "after a crash the old one will do" is \
	"$(meta '.["local-hostname"]')" third
q vm-kill web
rm "$tmp/bin/xorriso"

vmward delete web --yes
ok "a deleted VM's volume goes" test ! -e "$seeds/web.iso"
plan
