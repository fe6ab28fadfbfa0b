#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A random tree of snapshots against a model: ROUNDS [200] operations on a VM
# of one to three disks, every other one with kill -9 of the supervisor at one
# of its system calls.  Each time all disks, the firmware's variables and the
# TPM hold the same, which is what the model has: what was answered is done,
# what was not is wholly done or not at all.  In the end every snapshot holds
# what it was made of.  SEED repeats.
# shellcheck source=tests/t/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/t/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
for tool in qemu-img qemu-io jq; do
	command -v "$tool" >/dev/null || skip_all "no $tool"
done
rounds=${ROUNDS:-200}
seed=${SEED:-$(date +%s)}
kill_at=$BUILD/tests/peer/kill_at
images=$tmp/var/lib/vmward/images
state=$tmp/var/lib/vmward
tree=$state/snapshots/web.json
flash="$state/nvram/web.fd $state/tpm/web/tpm2-00.permall"
model=$tmp/model
rm "$tmp/bin/qemu-img"
mkdir -p "$images" "$model/made" "$model/parent" "$state/nvram" "$state/tpm/web"
"$kill_at" call 1 "$tmp/calls" true || skip_all "no program may be traced"

# draw N: into $drawn, 0 to N - 1
draw()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	drawn=$((seed / 65536 % $1))
}
eventually() # COMMAND...
{
	end=$(($(date +%s) + 20))
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		measure_ms 10
	done
}
begin() # [UNDER...]: vmwardd, ready
{
	rm -f "$tmp/ready"
	mkfifo "$tmp/ready"
	PATH="$tmp/bin:$PATH" "$@" "$BUILD/vmwardd" --root "$tmp" \
		--notify-fd 3 3>"$tmp/ready" 2>>"$daemon_log" </dev/null &
	daemon_pid=$!
	read -r _ <"$tmp/ready"
}
end() # SIGNAL: it may have ended before
{
	kill "-$1" "$daemon_pid" 2>/dev/null
	wait "$daemon_pid" 2>/dev/null
	daemon_pid=
}

# ---- the model: what the disks hold, each snapshot, its parent ----

holds() { cat "$1/disks"; } # MODEL
nth() # N: the name of that snapshot
{
	find "$model/made" -type f | sed 's,.*/,,' | sort | sed -n "$((1 + $1))p"
}
count() { find "$model/made" -type f | wc -l; }
# expect OP NAME [NEW]: in $model.after
expect()
{
	rm -rf "$model.after"
	cp -r "$model" "$model.after"
	(
		cd "$model.after" || exit
		case $1 in
		create)
			cp disks "made/$2"
			cp current "parent/$2"
			echo "$2" >current
			;;
		revert)
			cp "made/$2" disks
			echo "$2" >current
			;;
		delete)
			up=$(cat "parent/$2")
			rm "made/$2" "parent/$2"
			sed -i "s/^$2\$/$up/" current parent/* 2>/dev/null
			;;
		rename)
			mv "made/$2" "made/$3"
			mv "parent/$2" "parent/$3"
			sed -i "s/^$2\$/$3/" current parent/*
			;;
		esac
	)
}
# of MODEL: as the list of a supervisor would say it
of()
{
	for at in "$1"/made/*; do
		[ -e "$at" ] || continue
		name=${at##*/}
		mark=$([ "$(cat "$1/current")" = "$name" ] && echo true || echo false)
		echo "$name $(cat "$1/parent/$name") $mark"
	done | sort
}
listed()
{
	"$BUILD/vmward" --root "$tmp" snapshot list web --json |
		jq -r '.[] | "\(.name) \(.parent // "-") \(.current)"' | sort
}
all_hold() # PATTERN
{
	for file in $flash; do
		[ "$(cat "$file")" = "holds $1" ] || return 1
	done
	for image in "$images"/web-*.qcow2; do
		qemu-io -f qcow2 -c "read -q -P $1 0 192k" "$image" |
			grep -q failed && return 1
	done
	return 0
}
matches() { is "$(listed)" "$(of "$1")" && all_hold "$(holds "$1")"; } # MODEL

# ---- one operation ----

put() # PATTERN: on all disks and besides, and into the model
{
	for file in $flash; do
		echo "holds $1" >"$file"
	done
	for image in "$images"/web-*.qcow2; do
		qemu-io -f qcow2 -c "write -q -P $1 0 192k" "$image"
	done
	echo "$1" >"$model/disks"
}
is_mended() { ! grep -q '"reverting"\|"garbage":\[{' "$tree"; }
choose()
{
	draw 8
	op=create
	if [ "$(count)" -gt 0 ]; then
		case $drawn in
		0 | 1 | 2) op=revert ;;
		3 | 4) op=delete ;;
		5) op=rename ;;
		esac
	fi
	new=s$round
	if [ "$op" = create ]; then
		name=$new
		set -- create web --name "$name"
	else
		draw "$(count)"
		name=$(nth "$drawn")
		set -- "$op" web "$name" --yes
		[ "$op" != rename ] || set -- rename web "$name" "$new"
	fi
	words=$*
	expect "$op" "$name" "$new"
}
one()
{
	draw 250
	put "$((drawn + 1))"
	choose
	draw 2
	if [ "$drawn" -eq 0 ]; then
		draw 600
		begin "$kill_at" call "$((drawn + 1))" "$tmp/calls"
		injected=$((injected + 1))
	else
		begin
	fi
	# shellcheck disable=SC2086 # words
	timeout -s KILL 60 "$BUILD/vmward" --root "$tmp" snapshot $words \
		>"$tmp/said" 2>&1 </dev/null
	acked=$?
	end TERM
	begin
	eventually is_mended
	if matches "$model.after" >"$tmp/differs" 2>&1; then
		rm -rf "$model"
		mv "$model.after" "$model"
	elif [ "$acked" -eq 0 ] || ! matches "$model" >"$tmp/differs" 2>&1; then
		echo "# round $round: $words (status $acked): neither before nor after"
		cat "$tmp/said" "$tmp/differs" | sed 's/^/# /'
		wrong=$((wrong + 1))
	else
		undone=$((undone + 1))
	fi
	end KILL
}

echo "# SEED=$seed"
draw 3
ndisks=$((drawn + 1))
{
	printf 'firmware = uefi\n[tpm]\n'
	for n in $(seq "$ndisks"); do
		printf '[disk.d%s]\nsize = 4M\n' "$n"
		qemu-img create -q -f qcow2 "$images/web-d$n.qcow2" 4M
	done
} | vm web
echo - >"$model/current"
injected=0 wrong=0 undone=0 round=0
while [ "$round" -lt "$rounds" ] && [ "$wrong" -eq 0 ]; do
	round=$((round + 1))
	one
done
ok "all of it is as the model has it" is "$wrong" 0
ok "some of it was done" test "$undone" -lt "$round"
begin
whole=0
for at in "$model"/made/*; do
	[ -e "$at" ] || continue
	vmward snapshot revert web "${at##*/}" --yes
	all_hold "$(cat "$at")" && whole=$((whole + 1))
done
ok "each snapshot holds what it was made of" is "$whole" "$(count)"
# shellcheck disable=SC2046 # words
vmward snapshot delete web $(listed | cut -d' ' -f1) --yes
ok "all can be deleted" is "$(listed)" ''
ok "with what they kept" is "$(find "$state/snapshots" -name '*.json' \
	! -name web.json)" ''
ok "nothing is beside what it was for" is "$(find "$state/nvram" "$state/tpm" \
	-type f | wc -l)" 2
end TERM
sound=0
for image in "$images"/web-*.qcow2; do
	qemu-img check -q -f qcow2 "$image" &&
		[ "$(qemu-img snapshot -l "$image" | wc -l)" -eq 0 ] &&
		sound=$((sound + 1))
done
ok "the images are sound, and empty of them" is "$sound" "$ndisks"
echo "# case=kill-snapshot disks=$ndisks rounds=$round injected=$injected" \
	"undone=$undone wrong=$wrong"
plan
