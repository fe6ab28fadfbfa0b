#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two halves: the brain has no power at all; either may be killed, both may be
# upgraded, and QEMU is the same process all the while.
export VMWARD_KEEPER=yes
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "only root has powers to part"
brain_uid=1987510271
srv=$tmp/srv
mkdir "$srv"

brain_is_not() # PID: another one answers
{
	now=$(brain)
	[ -n "$now" ] && [ "$now" != "$1" ] && vmward list
}
in_status() { grep -qE "^$2" "/proc/$1/status"; } # PID REGEX
owner_of() { is "$(stat -c %u "$1")" "$2"; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
parent_of() { awk '/^PPid/ { print $2 }' "/proc/$1/status"; }

guest web tcg </dev/null
guest far tcg </dev/null
mv "$images/far.raw" "$srv/far.raw"
chmod 600 "$srv/far.raw"
cp "$srv/far.raw" "$srv/other.raw"
cat >"$tmp/hook" <<EOS
#!/bin/sh
id -u >$tmp/hook.uid.new && mv $tmp/hook.uid.new $tmp/hook.uid
EOS
chmod 755 "$tmp/hook"
cat >>"$vms/far.ini" <<EOS
[hooks]
started = $tmp/hook
EOS
sed -i "s#^image = .*#image = $srv/far.raw#" "$vms/far.ini"
up

# ---- who has which powers ----

b=$(brain)
ok "the brain is another user" in_status "$b" "Uid:.*$brain_uid.*$brain_uid"
ok "without one capability" in_status "$b" 'CapPrm:	0000000000000000$'
ok "and gets none" in_status "$b" 'CapBnd:	0000000000000000$'
ok "by no program either" in_status "$b" 'NoNewPrivs:	1$'
ok "a VM starts" starts web --wait=ready
pid=$(pid_of web)
ok "its QEMU is no child of the brain" \
	is "$(parent_of "$pid")" "$vmwardd_pid"
ok "and has a uid of its own" in_status "$pid" 'Uid:	19875[0-9]*'
ok "which is not the brain's" [ "$(stat -c %u "/proc/$pid")" != $brain_uid ]
if nm "$BUILD/vmwardd" 2>/dev/null | grep -q __asan; then
	ok "both take 6 MiB at most # SKIP sanitized" true
else
	ok "both take 6 MiB at most" \
		[ $(($(rss "$b") + $(rss "$vmwardd_pid"))) -le 6144 ]
fi

# ---- what the admin named, and nothing else ----

ok "an image of root's that a file names" starts far --wait=ready
hook_is_root() { is "$(cat "$tmp/hook.uid")" 0; }
ok "a hook that a file names is root's" eventually hook_is_root
ok "an image that no file names" \
	fails_with 1 disk attach web more "image=$srv/other.raw"
ok "is the kernel's to refuse" grep -q 'Permission denied' "$tmp/err"
ok "what runs is stopped" stops far
ok "a change is written" does set web vm.memory=9M
ok "as the brain's own" owner_of "$vms/web.ini.d/50-vmward.ini" $brain_uid
ok "which does not speak for the admin" \
	does set far disk.root.image="$srv/other.raw"
ok "so it is not opened" fails_with 1 start far
ok "a VM is made" does create new --memory 8M disk.root.image=web.raw
ok "and goes" does delete new --yes

# ---- either may be killed ----

kill -9 "$b"
ok "a killed brain has a successor" eventually brain_is_not "$b"
b=$(brain)
ok "that has the VM" eventually same_pid web "$pid"
ok "which obeys" eventually obeys web
kill -9 "$b"
next_brain() { young=$(brain) && [ -n "$young" ] && [ "$young" != "$b" ]; }
ok "another one begins" eventually next_brain
kill -9 "$young"
ok "killed at once, it has a successor, too" eventually brain_is_not "$young"
ok "nothing is lost" eventually same_pid web "$pid"
b=$(brain)
down
ok "a killed keeper takes the brain along" is_gone "$b"
ok "and not the VM" kill -0 "$pid"
up
ok "others go on with it" eventually same_pid web "$pid"
ok "it obeys them" eventually obeys web

# ---- both are upgraded ----

b=$(brain)
ok "an upgrade" does upgrade
ok "the brain is the same process" is "$(brain)" "$b"
ok "so is the keeper" kill -0 "$vmwardd_pid"
renewed() { tr '\0' ' ' <"/proc/$vmwardd_pid/cmdline" | grep -q keeper-state; }
ok "which began anew" renewed
ok "and the VM" same_pid web "$pid"
ok "a second one" does upgrade
ok "changes as little" same_pid web "$pid"

# ---- what this keeper did not start ----

ok "a QEMU of an earlier keeper is killed" does kill web
ok "and is gone" is_gone "$pid"
ok "a new one" starts web --wait=ready
pid=$(pid_of web)
b=$(brain)
kill -9 "$b"
ok "its brain dies once more" eventually brain_is_not "$b"
kill -9 "$pid"
ok "a death is seen by who was not there at its birth" \
	eventually other_pid web "$pid"
ok "SIGTERM" leave
ok "leaves no brain" [ -z "$(pgrep -f "vmwardd.*--root $tmp")" ]
pid=$(qemus guest=web)
ok "and the VM" kill -0 "$pid"

# ---- and back to one process ----

keeper=
up
ok "one process adopts it" eventually same_pid web "$pid"
ok "and stops it" stops web
ok "nothing is left" nothing_left
plan
