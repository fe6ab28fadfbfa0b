#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Any file, then any other: apply does what is hot, drift is what is pending,
# and after a restart the machine is as if it had been started so.  And what
# is plugged in and out at random leaves nothing behind.
# PAIRS, OPS and SEED say how much (tests/faults/apply.t: more).
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
PAIRS=${PAIRS-3}
OPS=${OPS-10}
SEED=${SEED-$(($(date +%s) % 10000))}
echo "# SEED=$SEED"

# random_file N: lines of a file, always the same ones for a number
random_file()
{
	awk -v seed="$((SEED * 100000 + $1))" '
	function one(n) { return int(rand() * n) }
	BEGIN {
		srand(seed)
		for (i = 0; i < 9; i++) rand() # neighbours begin alike
		print "cpus-max = 3\ncpus = " 1 + one(3)
		print "memory = " 8 + 2 * one(3) "M"
		split("a b c", disks)
		for (i = 1; i <= 3; i++) {
			if (one(2)) continue
			print "[disk." disks[i] "]\nsize = " 1 + one(3) "M"
			if (!one(3)) print "serial = s" one(3)
			if (!one(4)) print "bus = scsi"
		}
		if (one(2)) {
			print "[net.lan]\nuser = yes"
			if (one(2)) print "link = down"
		}
		if (one(2)) print "[rng]\nenabled = no"
		if (one(2)) print "[watchdog]\nmodel = ib700"
		if (one(2)) print "[restart]\nbackoff = " 1 + one(9) "s-1min"
	}'
}

# write NAME N: the file of a VM by that number; its images are its own
write()
{
	cat >"$tmp/file" <<-EOF
	[disk.root]
	image = $1.raw
	[start]
	ready = serial:READY
	[vm]
	accel = tcg
	EOF
	random_file "$2" >>"$tmp/file"
	cp "$tmp/file" "$vms/$1.ini"
}

q() # NAME QUERY FILTER: by jq
{
	# shellcheck disable=SC2086 # words
	vmward qmp "$1" $2
	jq -rc "$3" "$tmp/out"
}

# machine NAME: what QEMU has, places aside
machine()
{
	q "$1" 'qom-list path=/machine/peripheral' \
		'.[] | select(.type | startswith("child<")) |
		select(.name | startswith("rp") or startswith("cpu-") | not) |
		"\(.name) \(.type)"' | sort
	q "$1" query-cpus-fast length
	q "$1" query-memory-size-summary .
	# where nothing shrinks, a disk is as large as it ever was
	q "$1" 'query-named-block-nodes flat=true' \
		'.[]["node-name"] | select(startswith("disk-"))' | sort
}

# places NAME: the port of each disk and nic
places()
{
	q "$1" query-pci '.. | objects | select(.qdev_id? // "" |
		test("^(disk|net)-")) | "\(.qdev_id) \(.bus)"' | sort
}

lets_go() # NAME: the guest lets all go until we have seen enough
{
	types "$1" e >/dev/null
	test -e "$tmp/seen"
}

answering() # NAME COMMAND...: while the guest answers
{
	rm -f "$tmp/seen"
	(patience=600 eventually lets_go "$1") >/dev/null 2>&1 &
	shift
	"$@"
	touch "$tmp/seen"
	wait $!
}

is_settled() # nothing hot is left, and drift is what is pending
{
	vmward --json drift web
	jq -e '.[0].changes | all(.when != "hot")' "$tmp/out" >"$tmp/null" &&
		is "$(jq '.[0].changes | length' "$tmp/out")" "$(of web pending)"
}

stays() # every device that was there is where it was
{
	places web >"$tmp/now"
	cut -d' ' -f1 "$tmp/now" | while read -r id; do
		was=$(grep "^$id " "$tmp/then") || continue
		grep -qx "$was" "$tmp/now" || { echo "$was moved"; return 1; }
	done
}

pair() # N
{
	write web "$(($1 * 2))"
	starts web --wait=ready || return
	does drift web || return
	places web >"$tmp/then"
	write web "$(($1 * 2 + 1))"
	answering web vmward apply web
	exits 0 && eventually is_settled || return
	cp "$tmp/out" "$tmp/pending"
	does restart web && becomes web ready || return
	if ! does drift web; then
		# a disk that was larger stays so
		jq -e '.[0].changes | all(.when == "refused")' \
			"$tmp/out" >"$tmp/null" || return
	fi
	stays || return
	write fresh "$(($1 * 2 + 1))"
	starts fresh --wait=ready || return
	machine web >"$tmp/web"
	machine fresh >"$tmp/fresh"
	does kill web && does kill fresh || return
	rm -f "$images"/web-*.qcow2 "$images"/fresh-*.qcow2
	diff "$tmp/web" "$tmp/fresh"
}

pairs()
{
	for i in $(seq "$PAIRS"); do
		pair "$i" || { echo "pair $i of SEED=$SEED"; return 1; }
	done
}

# ---- leaks ----

held() # what QEMU and we hold for the VM
{
	q busy 'query-named-block-nodes flat=true' length
	q busy query-fdsets length
	q busy 'qom-list path=/machine/peripheral' length
	find "/proc/$(pid_of busy)/fd" -mindepth 1 | wc -l
	find "/proc/$vmwardd_pid/fd" -mindepth 1 | wc -l
	of busy ports_free
}

is_as_before() { held >"$tmp/held" && diff "$tmp/before" "$tmp/held"; }

# One random operation on one of three disks.
operation() # N
{
	# shellcheck disable=SC2046 # two words
	set -- $(awk -v seed="$((SEED * 100000 + $1))" 'BEGIN {
		srand(seed)
		for (i = 0; i < 9; i++) rand()
		print int(rand() * 3), int(rand() * 4) }')
	if [ "$2" = 3 ]; then
		vmward disk attach busy "d$1" size=1M bus=nonsense
	elif vmward disk list busy && grep -q "^d$1 " "$tmp/out"; then
		vmward disk detach busy "d$1" --runtime --timeout 10s
	else
		vmward disk attach busy "d$1" size=1M --runtime
	fi
	[ "$status" -le 2 ] || { echo "operation $1 $2"; return 1; }
}

operations()
{
	for i in $(seq "$OPS"); do
		operation "$i" || return
	done
	for d in d0 d1 d2; do
		vmward disk detach busy "$d" --runtime --timeout 10s
	done
}

for v in web fresh busy; do
	guest "$v" tcg </dev/null
done
up
ok "$PAIRS pairs of files" pairs
starts busy --wait=ready
held >"$tmp/before"
ok "$OPS operations" answering busy operations
ok "and nothing is left of them" eventually is_as_before
does kill busy >/dev/null
ok "nothing is left" nothing_left
plan
