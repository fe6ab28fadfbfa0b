#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The service files: systemd takes the units, a socket that a service manager
# made is used and left alone, s6 and runit start it, learn of readiness,
# reload it and stop it.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

export TALK_MS=30000
vm web </dev/null
mkdir -p "$run" "$tmp/units" "$tmp/wrap"
# the scripts' own words, with a vmwardd that keeps to our directory
cat >"$tmp/wrap/vmwardd" <<EOS
#!/bin/sh
echo "\$*" >'$tmp/words'
exec '$BUILD/vmwardd' --confinement off --root '$tmp' --log-level debug "\$@"
EOS
chmod +x "$tmp/wrap/vmwardd"
path=$tmp/wrap:$tmp/bin:$PATH
bounded() { timeout -s KILL 30 "$@"; }
inode() { stat -c %i "$control"; }

# ---- systemd ----

# has UNIT KEY=VALUE...: each as it stands there
has()
{
	unit=$tmp/units/$1
	shift
	for line; do
		grep -qxF -- "$line" "$unit" || {
			echo "$unit has no '$line'"
			return 1
		}
	done
}

# knows UNIT: sections and keys that systemd has, each key once
knows()
{
	awk -v known="$known" '
	BEGIN { n = split(known, words, " "); for (i = 1; i <= n; i++) is[words[i]] = 1 }
	/^#/ || /^$/ { next }
	/^\[/ { if (!/^\[(Unit|Service|Socket|Install)\]$/) bad = bad $0 " "; next }
	{ key = $0; sub(/=.*/, "", key); if (!is[key] || seen[key]++) bad = bad key " " }
	END { if (bad) { print FILENAME ": " bad; exit 1 } }' "$tmp/units/$1"
}
known="Description Documentation After Wants WantedBy Type ExecStart ExecStop
	ExecReload Restart RestartSec WatchdogSec KillMode Delegate
	DelegateSubgroup OOMPolicy
	OOMScoreAdjust RuntimeDirectory RuntimeDirectoryMode
	RuntimeDirectoryPreserve StateDirectory LogsDirectory LimitNOFILE
	TasksMax RemainAfterExit TimeoutStopSec ListenStream SocketMode
	DirectoryMode Backlog"

for unit in vmward.service vmward.socket vmward-shutdown.service; do
	sed "s|@sbindir@|$BUILD|;s|@bindir@|$BUILD|" "$TOP/contrib/$unit" \
		>"$tmp/units/$unit"
	ok "$unit: keys that systemd has" knows $unit
	ok "$unit: installed" grep -q "contrib/$unit" "$TOP/Makefile"
done
ok "the service outlives nothing but itself" has vmward.service Type=notify \
	KillMode=process Delegate=yes DelegateSubgroup=supervisor OOMPolicy=continue \
	RuntimeDirectoryPreserve=yes Restart=always
ok "the socket is the control socket" has vmward.socket \
	ListenStream=/run/vmward/control.sock SocketMode=0666
# DelegateSubgroup= came with systemd 254; older ones heed Delegate= alone
verifies()
{
	bounded systemd-analyze verify --man=no --recursive-errors=no \
		"$tmp/units/vmward.service" "$tmp/units/vmward.socket" \
		"$tmp/units/vmward-shutdown.service" \
		</dev/null >"$tmp/all" 2>&1
	! grep -v "Unknown key 'DelegateSubgroup'" "$tmp/all" >"$tmp/out"
}
if command -v systemd-analyze >/dev/null; then
	ok "systemd takes the units" verifies
else
	ok "systemd takes the units # SKIP no systemd-analyze" true
fi

# ---- a socket of the service manager ----

activate()
{
	rm -f "$control"
	PATH=$path timeout -s KILL 300 "$BUILD/tests/peer/activate" "$control" \
		"$@" --confinement off --root "$tmp" --log-level debug \
		>>"$daemon_log" 2>&1 </dev/null &
	timeout_pid=$!
	started="$started $timeout_pid"
}
activate "$BUILD/vmwardd"
wait_for "$daemon_log" listening
daemon_pid=$(pgrep -P "$timeout_pid")
before=$(inode)
ok "the first command starts it" q vm-start web
pid=$(pid_of web)
ok "the socket is the one that was there" is "$(inode)" "$before"
ok "no child has it" sh -c "! ls -l /proc/$pid/fd | grep -q 'socket:.$before'"
ok "an upgrade keeps it" bounded "$BUILD/vmward" --root "$tmp" upgrade
ok "still that one" is "$(inode)" "$before"
ok "and it answers there" state_is web running
kill -TERM "$daemon_pid"
ok "it ends" gone "$daemon_pid"
ok "its end leaves the socket's name alone" is "$(inode)" "$before"
ok "and the VM" kill -0 "$pid"

# a socket of another place, and one of another kind, are none
: >"$daemon_log"
mv "$control" "$control.old"
PATH=$path timeout -s KILL 300 "$BUILD/tests/peer/activate" \
	"$tmp/elsewhere" "$BUILD/vmwardd" --confinement off --root "$tmp" \
	>>"$daemon_log" 2>&1 </dev/null &
timeout_pid=$!
started="$started $timeout_pid"
wait_for "$daemon_log" listening
daemon_pid=$(pgrep -P "$timeout_pid")
talk "$tmp/elsewhere" '>\n'
ok "a socket that listens elsewhere is told of" \
	wait_for "$daemon_log" "descriptor 3 does not listen at '$control'"
wait_for "$daemon_log" 'vmward '
ok "the right one is made then" state_is web running
kill -TERM "$daemon_pid"
gone "$daemon_pid"
: >"$daemon_log"
activate -d "$BUILD/vmwardd"
ok "a socket that does not listen is told of" \
	wait_for "$daemon_log" "descriptor 3 does not listen"
wait_for "$daemon_log" 'vmward '
ok "and replaced" state_is web running
daemon_pid=$(pgrep -P "$timeout_pid")
kill -TERM "$daemon_pid"
gone "$daemon_pid"

# ---- s6: a newline on the descriptor of notification-fd ----

fd=$(cat "$TOP/contrib/s6/notification-fd")
ok "s6: a number beside run" expr "$fd" : '[0-9]*$'
ok "s6: a service that stays" grep -qx longrun "$TOP/contrib/s6/type"
mkfifo "$tmp/ready3"
PATH=$path timeout -s KILL 300 sh -c \
	"exec sh '$TOP/contrib/s6/run' $fd>'$tmp/ready3'" \
	>"$tmp/s6.log" 2>&1 </dev/null &
timeout_pid=$!
started="$started $timeout_pid"
line_comes() { bounded sh -c "read -r line <'$tmp/ready3' && [ -z \"\$line\" ]"; }
ok "s6: ready by a newline there" line_comes
daemon_pid=$(pgrep -P "$timeout_pid")
ok "s6: by --notify-fd" grep -qxF -- "--notify-fd $fd" "$tmp/words"
ok "s6: then it answers" state_is web running
ok "s6: one more is told apart" is \
	"$(PATH=$path bounded "$tmp/wrap/vmwardd" >"$tmp/out" 2>&1 </dev/null
		echo $?)" 100
kill -TERM "$daemon_pid"
ok "s6: TERM ends it" gone "$daemon_pid"
ok "s6: the VM runs on" kill -0 "$pid"

# ---- runit ----

if command -v runsv >/dev/null; then
	mkdir -p "$tmp/sv/vmwardd"
	cp "$TOP/contrib/vmwardd.runit" "$tmp/sv/vmwardd/run"
	chmod +x "$tmp/sv/vmwardd/run"
	: >"$daemon_log"
	PATH=$path runsv "$tmp/sv/vmwardd" >>"$daemon_log" 2>&1 </dev/null &
	runsv_pid=$!
	started="$started $runsv_pid"
	wait_for "$daemon_log" 'vmward '
	daemon_pid=$(pgrep -P "$runsv_pid")
	ok "runit: it runs, the VM is adopted" is "$(pid_of web)" "$pid"
	bounded sv hup "$tmp/sv/vmwardd" >/dev/null
	ok "runit: hup reloads" wait_for "$daemon_log" 'reading the files again'
	ok "runit: down ends it" bounded sv -w 25 force-stop "$tmp/sv/vmwardd"
	ok "runit: that was all of it" gone "$daemon_pid"
	ok "runit: the VM runs on" kill -0 "$pid"
	bounded sv exit "$tmp/sv/vmwardd" >/dev/null
	ok "runit: and goes" gone "$runsv_pid"
else
	ok "runit # SKIP no runsv" true
fi
daemon_pid=

# ---- OpenRC ----

ok "OpenRC: the script is one" sh -n "$TOP/contrib/vmwardd.openrc"
# its functions as OpenRC calls them, with stand-ins for what it gives
cat >"$tmp/wrap/vmward" <<EOS
#!/bin/sh
echo "\$*" >>'$tmp/rc.log'
EOS
chmod +x "$tmp/wrap/vmward"
rc() # RUNLEVEL FUNCTION
{
	# shellcheck disable=SC2016 # words of the inner shell
	PATH=$path RC_RUNLEVEL=$1 bounded sh -c '
	ebegin() { :; }
	eend() { return "$1"; }
	. "$0"; "$1"' "$TOP/contrib/vmwardd.openrc" "$2"
}
ok "OpenRC: a restart leaves the VMs alone" rc default stop_pre
ok "OpenRC: nothing was asked then" sh -c "! test -e '$tmp/rc.log'"
ok "OpenRC: the host goes down" rc shutdown stop_pre
ok "OpenRC: then the VMs do" grep -qx host-shutdown "$tmp/rc.log"
ok "OpenRC: reload" rc default reload
ok "OpenRC: reads the files again" grep -qx reload "$tmp/rc.log"
plan
