#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The life of a VM from start to end, and the causes of its ends.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

life() # ACCEL
{
	a=$1 v=web-$1
	guest "$v" "$a" </dev/null
	vmward reload

	ok "$a: starts and is ready by its serial port" starts "$v" --wait=ready
	ok "$a: its guest said so" eventually says_after "$v" 0 "^READY $v"
	ok "$a: list says running" is_column "$v" STATE running
	ok "$a: list says ready" is_column "$v" READY yes
	ok "$a: is-active" does is-active "$v"
	ok "$a: runs under that accelerator" \
		is "$(of "$v" qemu.accel)" "$a"
	ok "$a: one QEMU" is "$(qemus "$v.raw" | wc -l)" 1
	pid=$(pid_of "$v")
	ok "$a: a second start changes nothing" starts "$v"
	ok "$a: the QEMU is the same" same_pid "$v" "$pid"

	ok "$a: the guest counts on its disk" is "$(counts "$v")" 0001
	console "$v" "$tmp/reader1"
	console "$v" "$tmp/reader2"
	ok "$a: a reader gets what was said before" \
		eventually has "$tmp/reader1" "^READY $v"
	ok "$a: another one too" eventually has "$tmp/reader2" '^0001'
	ok "$a: it counts on" is "$(counts "$v")" 0002
	ok "$a: the first reader sees it" eventually has "$tmp/reader1" '^0002'
	ok "$a: the second one too" eventually has "$tmp/reader2" '^0002'

	ok "$a: pauses" does pause "$v"
	ok "$a: is paused" is_column "$v" STATE paused
	from=$(log_size "$v")
	types "$v" n >/dev/null
	ok "$a: resumes" does resume "$v"
	ok "$a: and does what was typed meanwhile" \
		eventually says_after "$v" "$from" '^0003'

	from=$(log_size "$v")
	ok "$a: resets" does reset "$v"
	ok "$a: and boots again" boots_again "$v" "$from"
	ok "$a: in the same QEMU" same_pid "$v" "$pid"
	ok "$a: with its disk" is "$(counts "$v")" 0004
	from=$(log_size "$v")
	types "$v" r >/dev/null
	ok "$a: a reset by the guest is one" boots_again "$v" "$from"
	if [ "$a" = tcg ]; then # a paravirtual KVM ignores it
		from=$(log_size "$v")
		types "$v" t >/dev/null
		ok "$a: a triple fault too" boots_again "$v" "$from"
	fi
	ok "$a: still the same QEMU" same_pid "$v" "$pid"

	ok "$a: restart" does restart "$v"
	ok "$a: makes a new QEMU" restarted "$v" "$pid"
	pid=$(pid_of "$v")

	ok "$a: stops by the power button" stops "$v"
	ok "$a: and says so" says "acpi"
	ok "$a: is stopped by the admin" is "$(cause_of "$v")" admin-stop
	ok "$a: its QEMU is gone" is_gone "$pid"
	ok "$a: is-active is 3" fails_with 3 is-active "$v"
	ok "$a: stop again is no failure" stops "$v"
}

ends() # ACCEL
{
	a=$1 v=end-$1
	guest "$v" "$a" <<-EOF
	[stop]
	steps = acpi:300ms, quit:3s, kill
	[restart]
	backoff = 100ms
	burst = 16/10min
	EOF
	vmward reload

	starts "$v" --wait=ready >/dev/null
	answers "$v" i '^\?' >/dev/null
	ok "$a: a guest that ignores the button is stopped" stops "$v"
	ok "$a: by quit" says quit

	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")
	ok "$a: kill" does kill "$v"
	ok "$a: and it is gone" is_gone "$pid"
	ok "$a: by the admin's kill" is "$(cause_of "$v")" admin-kill

	starts "$v" --wait=ready >/dev/null
	types "$v" p >/dev/null
	ok "$a: the guest powers off" ends_with "$v" guest-poweroff
	ok "$a: and is not started again" is "$(state_of "$v")" stopped

	starts "$v" --wait=ready >/dev/null
	pid=$(pid_of "$v")
	types "$v" c >/dev/null
	ok "$a: a panic is restarted" restarted "$v" "$pid"
	ok "$a: and is called one" is "$(cause_of "$v")" panic

	pid=$(pid_of "$v")
	kill -9 "$pid"
	ok "$a: a killed QEMU is restarted" restarted "$v" "$pid"
	ok "$a: and is called that" is "$(cause_of "$v") $(of "$v" detail)" \
		"qemu-signal 9"
	ok "$a: restarts are counted" test "$(of "$v" restarts)" -ge 2

	vmward set "$v" restart.policy=always
	pid=$(pid_of "$v")
	types "$v" p >/dev/null
	ok "$a: policy always starts a guest that powered off" \
		restarted "$v" "$pid"
	vmward unset "$v" restart.policy
	vmward set "$v" restart.policy=no
	kill -9 "$(pid_of "$v")"
	ok "$a: policy no does not" ends_with "$v" qemu-signal
	ok "$a: one QEMU at most" is "$(qemus "$v.raw" | wc -l)" 0
}

up
for accel in $(accelerators); do
	life "$accel"
	ends "$accel"
done
ok "nothing is left" nothing_left
ok "the supervisor leaves" leave
plan
