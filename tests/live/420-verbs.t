#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the verbs promise, against real QEMUs: readiness through slirp,
# throw-away starts, attaches that fail, kinds of machines, other hosts.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

image_of() # NAME: where its first disk is
{
	vmward --json disk list "$1"
	jq -r '.[0].image' "$tmp/out"
}

counted() # NAME LABEL: the guest counted up to that
{
	is "$(counts "$1")" "$2"
}

# ---- ready = tcp:PORT: slirp accepts in the guest's name ----

port=$((20000 + $$ % 10000))
guest silent tcg </dev/null
cat >"$vms/silent.ini" <<EOF
[vm]
memory = 8M
accel = tcg
[disk.root]
image = silent.raw
[net.lan]
user = yes
forward = $port:80
[start]
ready = tcp:80
ready-timeout = 3s
EOF
guest once tcg </dev/null
guest old tcg <<EOF
[disk.data]
size = 1M
EOF
sed -i 's/^accel = .*/&\nmachine = pc/' "$vms/old.ini"
printf '[vm]\nmemory = 16M\n[disk.root]\nimage = once.raw\n' >"$vms/auto.ini"
up
ok "a port that no guest answers is not ready" \
	fails_with 5 start silent --wait
ok "and says so" complains 'not ready after 3s'
ok "it runs all the same" is_column silent STATE running
ok "killed" does kill silent

# ---- start --ephemeral ----

ok "--ephemeral: starts" starts once --ephemeral --wait
ok "--ephemeral: on an overlay" is "$(image_of once)" \
	"$tmp/var/lib/vmward/ephemeral/once-root.qcow2"
ok "--ephemeral: the guest writes" counted once 0001
ok "--ephemeral: killed" does kill once
ok "--ephemeral: nothing is left of it" \
	is "$(ls "$tmp/var/lib/vmward/ephemeral")" ''
ok "started as usual" starts once --wait
ok "its disk does not know" counted once 0001

# ---- what cannot be attached, and QEMU's last words ----

ok "attach: an overlay of a disk in use" \
	fails_with 1 disk attach once more base=once.raw
ok "attach: names the disk and why" complains "disk 'more':"
ok "attach: its image is gone again" test ! -e "$images/once-more.qcow2"
ok "start: an image in use" fails_with 1 start auto
ok "start: QEMU's words, readable" complains \
	'QEMU did not start: disk-root: Failed to get '
ok "stopped" does stop --now once

# ---- machine pc; the warning of accel = auto ----

ok "pc: starts" starts old --wait
ok "pc: the guest counts on its disk" counted old 0001
ok "pc: a second disk" test -e "$images/old-data.qcow2"
ok "pc: obeys the power button" does stop old
ok "pc: that was its step" says 'acpi'
if grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo; then
	ok "accel = auto: KVM # SKIP this processor has vmx or svm"
else
	ok "accel = auto: starts" starts auto
	ok "accel = auto: one warning on stderr" is \
		"$(grep -c 'warning: guests run without KVM' "$tmp/err")" 1
	ok "accel = auto: none on stdout" test ! -s "$tmp/out"
	ok "accel = auto: killed" does kill auto
fi

# ---- -H: the same words by ssh ----

mkdir "$tmp/bin"
cat >"$tmp/bin/ssh" <<'EOF'
#!/bin/sh
[ "$1" = -- ] && shift
host=$1
shift
[ "$host" != down ] || { echo "ssh: no route to $host" >&2; exit 255; }
exec sh -c "$*"
EOF
chmod +x "$tmp/bin/ssh"
PATH=$tmp/bin:$BUILD:$PATH
ok "-H: two hosts" does -H a,b list -o host,name,state old
ok "-H: a column HOST" output_is <<'EOF'
HOST  NAME  STATE
a     old   stopped
b     old   stopped
EOF
ok "-H: one of them is down" fails_with 6 -H a,down list old
ok "-H: says which and why" complains 'down: ssh: no route to down'
ok "-H: words stay words" fails_with 4 -H a status 'o l d'
ok "-H: the exit status is the remote one" fails_with 3 -H a is-active old

ok "nothing is left" nothing_left
ok "the supervisor leaves" leave

# ---- a host without QEMU ----

mkdir "$tmp/empty"
"$(command -v env)" PATH="$tmp/empty" "$BUILD/vmwardd" --root "$tmp" \
	--notify-fd 9 9<>"$tmp/notify" </dev/null >>"$tmp/sup.log" 2>&1 &
vmwardd_pid=$!
timeout 20 head -n 1 <"$tmp/notify" >"$tmp/ready"
ok "without QEMU: start says what is missing" fails_with 1 start old
ok "without QEMU: by its name" complains \
	'qemu-system-x86_64 is not installed or not on PATH'
ok "without QEMU: list works" is_column old STATE stopped
ok "without QEMU: the supervisor leaves" leave
plan
