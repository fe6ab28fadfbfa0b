#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices of all classes come and go at random, in a VM whose guest answers, in
# one whose guest does not, in one that is paused: afterwards QEMU and we have
# what we had before.  PLUGS: how many (60; the long form 10000), SEED: which.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
patience=60 # a guest on a busy host
PLUGS=${PLUGS:-60}
SEED=${SEED:-$(date +%s)}
classes='virtio scsi usb nvme nic cdrom'

count() # NAME COMMAND MEMBER: how many objects of the answer have it
{
	vmward --json qmp "$1" "$2"
	jq "[.. | objects | select(has(\"$3\"))] | length" "$tmp/out"
}
fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
# holds NAME: ports, block nodes, fd sets, descriptors of QEMU and of ours
holds()
{
	echo "ports $(of "$1" ports_free)" \
		"nodes $(count "$1" query-named-block-nodes node-name)" \
		"sets $(count "$1" query-fdsets fdset-id)" \
		"qemu $(fds "$(pid_of "$1")") vmwardd $(fds "$vmwardd_pid")"
}
holds_again() { is "$(holds "$1")" "$2"; }

is_idle() { does jobs list && ! grep -q "$1" "$tmp/out"; } # NAME
# has_none NAME DEVICE: by QEMU's own words
has_none()
{
	does device list "$1" && ! grep -q "^$2 " "$tmp/out"
}

attach() # NAME CLASS NUMBER
{
	case $2 in
	nic) does nic attach "$1" "x$3" user=yes --runtime ;;
	cdrom) does cdrom insert "$1" a "$tmp/disc" --runtime ;;
	*) does disk attach "$1" "$2$3" "bus=$2" "image=$tmp/$2$3" \
		format=raw --runtime ;;
	esac
}

# detach NAME CLASS NUMBER: done, or (1) on its way
detach()
{
	case $2 in
	cdrom) does cdrom eject "$1" a --runtime && return ;;
	scsi | usb) does disk detach "$1" "$2$3" --runtime && return ;;
	nic) vmward nic detach "$1" "x$3" --runtime --timeout 10ms ;;
	*) vmward disk detach "$1" "$2$3" --runtime --timeout 10ms ;;
	esac
	return 1
}
id_of() # CLASS NUMBER
{
	if [ "$1" = nic ]; then echo "net-x$2"; else echo "disk-$1$2"; fi
}

# lets_go NAME DEVICE: the guest answers, until it is gone; its ports are
# looked at when it is told to, so it may have been asked too late
lets_go()
{
	types "$1" e >/dev/null
	has_none "$1" "$2"
}

# turn NAME CLASS NUMBER: what is there goes, what is not comes; $tmp/there
# has a file for each that is there, $tmp/going for each on its way
turn()
{
	it=$2-$3
	[ ! -e "$tmp/going/$it" ] || return 0
	if [ ! -e "$tmp/there/$it" ]; then
		: >"$tmp/there/$it"
		attach "$1" "$2" "$3"
		return
	fi
	rm "$tmp/there/$it"
	detach "$1" "$2" "$3" && return
	: >"$tmp/going/$it"
	complains 'does not let' || return
	[ "$answers" = no ] || all_go "$1"
}

# all_go NAME: what is on its way goes, and is gone for us, too
all_go()
{
	for path in "$tmp/going"/*; do
		[ -e "$path" ] || continue
		it=${path##*/}
		eventually lets_go "$1" "$(id_of "${it%-*}" "${it#*-}")" ||
			return
		rm "$path"
	done
	eventually is_idle "$1" # what is left of it is closed
}

# turns NAME N: at random
turns()
{
	awk -v seed="$SEED" -v n="$2" -v words="$classes" 'BEGIN {
		srand(seed)
		many = split(words, class)
		while (n-- > 0) {
			c = class[1 + int(rand() * many)]
			print c, c == "cdrom" ? 1 : 1 + int(rand() * 2)
		}
	}' >"$tmp/turns"
	while read -r class number; do
		turn "$1" "$class" "$number" </dev/null || {
			echo "# $class $number of seed $SEED"
			cat "$tmp/err"
			return 1
		}
	done <"$tmp/turns"
}

# all_out NAME: nothing that came is there any more
all_out()
{
	for path in "$tmp/there"/*; do
		[ -e "$path" ] || continue
		it=${path##*/}
		turn "$1" "${it%-*}" "${it#*-}" || return
	done
}

# warm NAME: each class once, so that controllers and threads are there
warm()
{
	for class in $classes; do
		turn "$1" "$class" 1 || return
	done
	all_out "$1" && eventually is_idle "$1"
}

mkdir "$tmp/there" "$tmp/going"
truncate -s 64K "$tmp/disc"
for class in virtio scsi usb nvme; do
	truncate -s 1M "$tmp/${class}1" "$tmp/${class}2"
done
up
for name in awake silent paused; do
	guest "$name" tcg <<-END
	[cdrom.a]
	END
	answers=yes
	starts "$name" >/dev/null
	ok "$name: each class comes and goes" warm "$name"
	before=$(holds "$name")
	[ "$name" != paused ] || does pause "$name" >/dev/null
	[ "$name" = awake ] || answers=no
	ok "$name: $((PLUGS / 3)) come and go" turns "$name" $((PLUGS / 3))
	ok "$name: all are asked to go" all_out "$name"
	[ "$name" != paused ] || does resume "$name" >/dev/null
	ok "$name: what was kept goes when the guest answers" all_go "$name"
	ok "$name: nothing of them is left" eventually holds_again "$name" "$before"
	echo "# $name: $(holds "$name"), before: $before"
	does kill "$name" >/dev/null
	becomes "$name" stopped >/dev/null
done
echo "# case=plugs operations=$PLUGS seed=$SEED"
ok "nothing is left" nothing_left
plan
