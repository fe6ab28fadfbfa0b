#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The supervisor dies, stops or is fooled; the guests do not notice.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

uptime_ms() # NAME
{
	of "$1" uptime | awk '{ printf "%d\n", $1 * 1000 }'
}

later() # MS MS: the second is not smaller
{
	[ "$1" -le "$2" ] || { echo "$1 then $2"; false; }
}

one_qemu() # NAME
{
	is "$(qemus "$1.raw" | wc -l)" 1
}

adopts() # ACCEL
{
	a=$1 v=keep-$1
	guest "$v" "$a" </dev/null
	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")
	counts "$v" >/dev/null
	age=$(uptime_ms "$v")
	vmward set "$v" vm.cpus=2
	ok "$a: an edit is pending" is "$(of "$v" pending)" 1

	down
	# typed to the guest itself while nobody supervises it
	printf n | timeout 10 socat -t0 - "UNIX:$run/$v/priv/serial0" >/dev/null
	up
	becomes "$v" running >/dev/null
	ok "$a: after kill -9 the same QEMU runs" same_pid "$v" "$pid"
	ok "$a: it is the only one" one_qemu "$v"
	ok "$a: its uptime goes on" later "$age" "$(uptime_ms "$v")"
	ok "$a: it is ready still" is "$(of "$v" ready)" true
	ok "$a: the edit is pending still" is "$(of "$v" pending)" 1
	ok "$a: the guest counted meanwhile" is "$(counts "$v")" 0003
	ok "$a: its console goes on" says_after "$v" 0 '^0001'

	ok "$a: the supervisor leaves" leave
	up
	ok "$a: after its leave as well" becomes "$v" running
	ok "$a: same QEMU again" same_pid "$v" "$pid"
	kill -HUP "$vmwardd_pid"
	ok "$a: a reload changes nothing" same_pid "$v" "$pid"

	kill -STOP "$vmwardd_pid"
	from=$(size_of "$logs/$v/console.log")
	timeout 10 sh -c "printf n | socat -u - 'UNIX:$run/$v/console.sock'"
	kill -CONT "$vmwardd_pid"
	ok "$a: what was typed to a stopped supervisor arrives" \
		eventually says_after "$v" "$from" '^0004'
	ok "$a: and all is as before" same_pid "$v" "$pid"
	ok "$a: stops" stops "$v"
	ok "$a: and starts with the edit" starts "$v"
	ok "$a: with nothing pending" is "$(of "$v" pending)" 0
	vmward kill "$v"
}

away() # ACCEL: what happens while the supervisor is away
{
	a=$1 v=away-$1
	guest "$v" "$a" <<-EOF
	[restart]
	backoff = 100ms
	burst = 16/10min
	EOF
	starts "$v" --wait=ready >/dev/null
	tell p
	ok "$a: powered off meanwhile" ends_with "$v" guest-poweroff

	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")
	tell c
	ok "$a: a panic meanwhile is restarted" restarted "$v" "$pid"
	ok "$a: and called one" is "$(cause_of "$v")" panic

	pid=$(pid_of "$v")
	tell r
	becomes "$v" running >/dev/null
	ok "$a: a reboot meanwhile is none of our business" same_pid "$v" "$pid"

	pid=$(pid_of "$v")
	down
	kill -9 "$pid"
	is_gone "$pid"
	up
	ok "$a: killed meanwhile, restarted" restarted "$v" "$pid"
	ok "$a: by a cause that is not invented" is_one_of "$(cause_of "$v")" \
		unknown qemu-signal
	ok "$a: one QEMU" one_qemu "$v"

	vmward set "$v" restart.policy=always
	pid=$(pid_of "$v")
	tell p
	ok "$a: powered off meanwhile, policy always" restarted "$v" "$pid"
	vmward set "$v" restart.policy=no
	pid=$(pid_of "$v")
	tell c
	ok "$a: a panic meanwhile, policy no" ends_with "$v" panic
	ok "$a: no QEMU" is "$(qemus "$v.raw" | wc -l)" 0
}

# tell KEY: types it to the guest while there is no supervisor
tell()
{
	down
	printf '%s' "$1" |
		timeout 10 socat -t0.2 - "UNIX:$run/$v/priv/serial0" >/dev/null
	up
}

fooled() # ACCEL
{
	a=$1 v=fool-$1
	guest "$v" "$a" <<-EOF
	[stop]
	steps = acpi:1s, quit:3s, kill
	EOF
	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")

	socat -u "UNIX:$run/$v/priv/monitor" "OPEN:$tmp/stray,creat" 2>/dev/null &
	stray=$!
	started="$started $stray"
	ok "$a: a stray client on the monitor disturbs nothing" \
		obeys "$v"
	down
	eventually test -s "$tmp/stray" # now it is the one who is served
	socat -u "UNIX:$run/$v/priv/monitor" "OPEN:$tmp/stray2,creat" 2>/dev/null &
	started="$started $!"
	up
	ok "$a: nor at adoption: it is thrown off" \
		becomes "$v" running
	ok "$a: same QEMU" same_pid "$v" "$pid"
	ok "$a: and it obeys" \
		obeys "$v"

	rm -f "$run/$v/priv/lock"
	ok "$a: without its lock file it runs on" same_pid "$v" "$pid"
	down
	rm -f "$run/$v/priv/lock"
	up
	becomes "$v" running >/dev/null
	ok "$a: and is adopted" same_pid "$v" "$pid"
	starts "$v" >/dev/null
	ok "$a: never two of it" one_qemu "$v"

	"$BUILD/vmwardd" --root "$tmp" >"$tmp/second" 2>&1
	ok "$a: a second supervisor leaves at once" is $? 100
	ok "$a: and says why" grep -q . "$tmp/second"
	ok "$a: touching nothing" same_pid "$v" "$pid"

	# the record gone as well: only the abstract name is left
	down
	rm -rf "$run/$v/priv/lock" "$tmp/var/lib/vmward/records/$v"
	up
	starts "$v" >/dev/null
	ok "$a: nor without lock and record" one_qemu "$v"
	vmward kill "$v"
	ok "$a: it can be killed" is_gone "$pid"

	starts "$v" --wait=ready >/dev/null
	answers "$v" i '^\?' >/dev/null
	vmward stop "$v" --timeout 20s >/dev/null &
	stopping=$!
	eventually is_state "$v" stopping
	down
	up
	ok "$a: a stop goes on where it was" \
		becomes "$v" stopped
	wait "$stopping"
}

up
for accel in $(accelerators); do
	adopts "$accel"
	away "$accel"
	fooled "$accel"
done
ok "nothing is left" nothing_left
plan
