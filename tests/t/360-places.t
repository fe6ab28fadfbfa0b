#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A user's own supervisor, readiness, signals.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

# ---- readiness and signals ----

vm web </dev/null
PATH="$tmp/bin:$PATH" "$BUILD/vmwardd" --confinement off --root "$tmp" --notify-fd 3 \
	3>"$tmp/notified" 2>"$daemon_log" &
daemon_pid=$!
: >>"$daemon_log"
wait_for "$daemon_log" 'vmward '
ok "ready: its socket answers" q vm-list
ok "ready: one newline on --notify-fd" is \
	"$(od -An -c "$tmp/notified" | tr -d ' ')" '\n'
q vm-start web
pid=$(pid_of web)
kill -TERM "$daemon_pid"
kill -TERM "$daemon_pid" 2>/dev/null
wait "$daemon_pid"
ok "SIGTERM twice: exits 0" is "$?" 0
ok "SIGTERM: VMs run on" kill -0 "$pid"
ok "SIGTERM: its socket is gone" test ! -e "$control"
daemon
daemon_ends INT
ok "SIGINT: exits 0" is "$daemon_status" 0
ok "SIGINT without a terminal: stops them" gone "$pid"
: >"$tmp/notes"
"$tmp/bin/talk" - notes "$tmp/notify.sock" STOPPING=1 >"$tmp/notes" &
notes=$!
wait_for "$tmp/notes" bound
NOTIFY_SOCKET=$tmp/notify.sock
export NOTIFY_SOCKET
daemon
unset NOTIFY_SOCKET
q vm-start web
pid=$(pid_of web)
ok "NOTIFY_SOCKET: READY=1" wait_for "$tmp/notes" READY=1
daemon_ends TERM
ok "NOTIFY_SOCKET: STOPPING=1" wait "$notes"
ok "adopted by each of them" kill -0 "$pid"
daemon
ok "the same QEMU to the end" is "$(pid_of web)" "$pid"
q vm-kill web
daemon_ends TERM

# ---- no XDG_RUNTIME_DIR ----

if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	plan
	exit
fi
own=$tmp/tmp/vmward-65534
vms=$tmp/home/.config/vmward/vms
control=$own/control.sock
cp "$BUILD/vmwardd" "$tmp/bin"
BUILD_WAS=$BUILD
BUILD=$tmp/build
mkdir -p "$BUILD" "$tmp/tmp" "$vms"
cp "$BUILD_WAS/vmwardd" "$BUILD"
chmod 711 "$tmp"
chmod 1777 "$tmp/tmp"
chmod 666 "$daemon_log"
chown -R 65534 "$tmp/home"
vm web </dev/null
daemon_under='setpriv --reuid 65534 --regid 65534 --clear-groups
	env -u XDG_RUNTIME_DIR -u XDG_CONFIG_HOME -u XDG_STATE_HOME
	-u XDG_DATA_HOME HOME=/home'
daemon_options=--user
daemon
ok "uid 65534 without XDG_RUNTIME_DIR: its directory, 0700" is \
	"$(stat -c '%a %u' "$own")" '700 65534'
uid=65534
ok "it serves its user" q vm-start web
ok "its VM runs" state_is web running
ok "as its user" is "$(stat -c %u "/proc/$(pid_of web)")" 65534
pid=$(pid_of web)
daemon_ends KILL
daemon
ok "adopted there" is "$(pid_of web)" "$pid"
q vm-stop web
ok "stopped" state_is web stopped
daemon_ends TERM
uid=

refuses() # TEXT: the supervisor does not start there
{
	# shellcheck disable=SC2086 # a command with arguments
	timeout 10 $daemon_under "$BUILD/vmwardd" --confinement off --root "$tmp" --user \
		>"$tmp/refused" 2>&1
	is "$?" 1 && grep -F "$1" "$tmp/refused"
}
rm -rf "$own"
mkdir -m 700 "$own"
ok "another's directory is refused" refuses 'belongs to another user (uid 0)'
ok "another's directory is left alone" is "$(ls "$own")" ''
rmdir "$own"
mkdir "$tmp/trap"
chown 65534 "$tmp/trap"
ln -s "$tmp/trap" "$own"
ok "a link is refused" refuses 'is not a directory'
ok "nothing behind it" is "$(ls "$tmp/trap")" ''
rm "$own"
mkdir -m 755 "$own"
chown 65534 "$own"
ok "an open directory is refused" refuses 'is open to other users'
rm -r "$own"
mkdir "$tmp/file" "$tmp/file/web.vmward"
chmod 700 "$tmp/file/web.vmward"
printf '[vm]\nmemory = 64M\n[disk.a]\nimage = a.raw\nsize = 1M\n' \
	>"$tmp/file/web.ini"
# shellcheck disable=SC2086 # a command with arguments
(cd "$tmp/file" && TMPDIR=/tmp timeout 10 $daemon_under \
	"$BUILD/vmwardd" --confinement off --root "$tmp" run web.ini >"$tmp/refused" 2>&1)
ok "run beside another's things fails" is "$?" 1
ok "and says where else they may be" \
	grep -F 'elsewhere with --state DIR' "$tmp/refused"
ok "and leaves nothing where it looked" is "$(find "$tmp/tmp" -type f)" ''
ok "all QEMUs are gone" is "$(qemus)" ''
plan
