#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks by ssh (url = ssh://): a confined QEMU logs in to an sshd of our own
# by the key of the disk, boots and writes there; it has that key and nothing
# else, and the key goes with it.  Wrong keys and hosts are refused.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
for tool in ssh-keygen perl base64 sha256sum; do
	command -v $tool >/dev/null || skip_all "no $tool"
done
sshd=$(PATH=$PATH:/usr/sbin command -v sshd) || skip_all "no sshd"
ls /usr/lib/*/qemu/block-ssh.so >"$tmp/so" 2>&1 || skip_all "no block-ssh.so"
umask 077
patience=120
vmward_limit=300
far=$tmp/far # what the server has
mkdir "$far"
port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1,
	LocalAddr => "127.0.0.1")->sockport')
for key in host user other; do
	ssh-keygen -q -t ed25519 -N '' -f "$far/$key"
done
ssh-keygen -q -t ed25519 -N 'pass phrase' -f "$far/locked"
ssh-keygen -q -t ecdsa -m PEM -N 'pass phrase' -f "$far/pem"
cp "$far/user.pub" "$far/authorized_keys"
cp "$far/user" "$far/open"
chmod 644 "$far/open"
echo none >"$far/none"
cat >"$far/config" <<EOS
Port $port
ListenAddress 127.0.0.1
HostKey $far/host
AuthorizedKeysFile $far/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
EOS
# where a privileged one goes before it knows anybody
if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
	mkdir -m 755 /run/sshd
fi
"$sshd" -D -e -f "$far/config" >"$tmp/sshd.log" 2>&1 </dev/null &
server=$!
started="$started $server"
serves() { grep -q 'Server listening' "$tmp/sshd.log"; }
eventually serves || skip_all "sshd does not serve: $(head -n 1 "$tmp/sshd.log")"

image=$far/far.raw
"$TOP/tests/guest/bios/label" "$BUILD/guest/bios.raw" "$image" far
hash_of() # KEY
{
	cut -d' ' -f2 "$far/$1.pub" | base64 -d | sha256sum | cut -d' ' -f1
}
host=$(hash_of host)
# vm QUERY KEY [LINE]: far.ini
vm()
{
	cat >"$vms/far.ini" <<EOS
[vm]
memory = 8M
accel = tcg
${3-}
[disk.root]
url = ssh://$(id -un)@127.0.0.1:$port$image$1
${2:+ssh-key-file = $far/$2}
[start]
ready = serial:READY
EOS
}
said_nowhere() # PID: a line of the key
{
	line=$(sed -n 3p "$far/user")
	tr '\0' '\n' <"/proc/$1/cmdline" >"$tmp/seen"
	tr '\0' '\n' <"/proc/$1/environ" >>"$tmp/seen"
	grep -q 'ssh' "$tmp/seen" && ! grep -F "$line" "$tmp/seen" &&
		! grep -rF "$line" "$tmp/var" "$tmp/etc" "$tmp/sup.log"
}
home=$run/far/priv/login
has_keys() { is "$(cd "$home" && find . -type f)" "./.ssh/id_ed25519"; }

up
vm "?host-key=sha256:$host" user
ok "a guest boots from a file by ssh" starts far --wait=ready
ok "it writes there" is "$(counts far)" 0001
ok "its QEMU has that key" has_keys
ok "which is in no argument, environment, record or log" \
	said_nowhere "$(pid_of far)"
vmward disk attach far more "url=ssh://127.0.0.1:$port$image" \
	"ssh-key-file=$far/user"
ok "none is plugged in" is "$status" 1
ok "and why" complains "at a start only"
ok "it stops in order" stops far
ok "the key went with it" test ! -e "$home"
ok "the server has what was written" starts far --wait=ready
ok "and its next life reads it" is "$(counts far)" 0002
stops far
[ "$(id -u)" != 0 ] || {
	vm "?host-key=sha256:$host" user 'confinement = off'
	ok "a key of an unconfined one is refused" fails_with 1 start far
	ok "and why" complains "needs a confined QEMU"
}

refuses() # STATUS TEXT
{
	fails_with "$1" start far && complains "$2" && is "$(qemus far)" '' &&
		test ! -e "$home"
}
while IFS='|' read -r want query key text; do
	vm "$query" "$key"
	ok "refused: $key, ${query:-no host key}: $text" refuses "$want" "$text"
done <<EOS
1|?host-key=sha256:$host|other|publickey
1|?host-key=sha256:$(hash_of other)|user|fingerprint
1||user|host key
1|?host-key=sha256:$host|locked|needs a passphrase
1|?host-key=sha256:$host|pem|needs a passphrase
1|?host-key=sha256:$host|none|there is no private key in
7|?host-key=sha256:$host|open|chmod 600
4|?host-key=sha256:$host|missing|No such file
EOS
if [ "$(id -u)" = 0 ]; then
	vm "?host-key=sha256:$host" ''
	ok "refused: no key" refuses 1 "say ssh-key-file = PATH"
fi
printf '[disk.root]\nurl = nbd://h/x\nssh-key-file = /k\n' >"$vms/nbd.ini"
vmward check
ok "a key is for ssh alone" says "ssh-key-file: is for ssh://"
rm "$vms/nbd.ini"
told() { ! ls "$tmp"/var/lib/vmward/incidents/*/*.tmp; }
ok "each failure has its incident" eventually told
leave
kill "$server"
ok "nothing is left" nothing_left
[ -z "${VERBOSE-}" ] || sed 's/^/# /' "$tmp/sshd.log"
plan
