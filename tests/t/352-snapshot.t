#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of a VM that is down: all disks or none, whatever fails or dies.
# The stand-in for qemu-img keeps a tag as a copy of the file; it fails and
# waits where the test says.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"
images=$tmp/var/lib/vmward/images
tree=$tmp/var/lib/vmward/snapshots/web.json
mkdir -p "$images" "$tmp/tags"
mkfifo "$tmp/go"
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
for last; do :; done
case \$last in
json:*) file=\${last##*\"filename\":\"} && file=\${file%%\"*} ;;
*) file=\$last ;;
esac
disk=\${file##*/}
at=$tmp/tags/\$disk
case \$1 in
info)
	printf '{"snapshots":['
	comma=
	for tag in "\$at"/*; do
		[ -e "\$tag" ] || continue
		printf '%s{"name":"%s"}' "\$comma" "\${tag##*/}"
		comma=,
	done
	echo ']}'
	exit ;;
check) echo "\$disk" >>"$tmp/checked"; exit ;;
create) printf 'QFI\373\0\0\0\003' >"\$file"; exit ;;
snapshot) ;;
*) exit 1 ;;
esac
what=\$3
tag=\$4
echo "\$what \$disk" >>"$tmp/done"
if rm "$tmp/fails\$what-\$disk" 2>/dev/null; then # once
	echo "qemu-img: Could not do it: No space left on device" >&2
	exit 1
fi
if [ -p "$tmp/waits\$what-\$disk" ]; then
	echo there >"$tmp/waits\$what-\$disk"
	read -r go <"$tmp/go"
fi
mkdir -p "\$at"
case \$what in
-c) cp "\$file" "\$at/\$tag" ;;
-a) cat "\$at/\$tag" >"\$file" ;;
-d) rm "\$at/\$tag" ;;
esac
EOS

# image DISK TEXT: a header with no more than it needs, then the text
image()
{
	{
		printf 'QFI\373\0\0\0\003\0\0\0\0\0\0\0\0\0\0\0\0'
		printf '\0\0\0\020\0\0\0\0\0\020\0\0'
		head -c 68 /dev/zero
		printf '\0\0\0\004\0\0\0\150'
		head -c 408 /dev/zero
		echo "$2"
	} >"$images/web-$1.qcow2"
}
put() # TEXT: on both disks
{
	image root "$1"
	image data "$1"
}
has() { grep -qa "$1$" "$images/web-$2.qcow2"; } # TEXT DISK
both_have() { has "$1" root && has "$1" data; }
tags() { find "$tmp/tags" -type f | wc -l; }
# clean: nothing is half done, and each disk has so many tags
is_clean()
{
	grep -q '"garbage":\[\]' "$tree" && ! grep -q reverting "$tree" &&
		is "$(tags)" "$((2 * $1))"
}
waits() # HOW DISK: qemu-img does not go on there
{
	mkfifo "$tmp/waits$1-web-$2.qcow2"
}
until_waits() { timeout 20 cat "$tmp/waits$1-web-$2.qcow2" >/dev/null; }
goes_on() { rm "$tmp/waits$1-web-$2.qcow2"; }
fails() { : >"$tmp/fails$1-web-$2.qcow2"; }
# A dead supervisor's qemu-img goes with it; its successor mends.
dies_there()
{
	until_waits "$1" "$2"
	daemon_ends KILL
	goes_on "$1" "$2"
	: >"$daemon_log"
	daemon
	wait_for "$daemon_log" 'mended what was cut short'
}

printf '[disk.root]\nsize = 1M\n[disk.data]\nsize = 1M\n' >"$tmp/disks"
vm web <"$tmp/disks"
daemon
put one
ok "create" q vm-snapshot-create web name=first description=why
ok "its name is told" is "$(field name)" first
ok "a tag in each disk" is_clean 1
ok "the same name again: refused" refused EXISTS \
	vm-snapshot-create web name=first
ok "a number is no name" refused USAGE vm-snapshot-create web name=12
put two
ok "create without a name" q vm-snapshot-create web
second=$(field name)
ok "the time is the name" sh -c "echo $second | grep -qE '^[0-9]{4}-[0-9-]+T'"
ok "list" q vm-snapshot-list web
ok "list: with the parent" says '"parent":"first"'
ok "show: with the file of then" q vm-snapshot-show web snapshot=first
ok "show: that is in it" says 'size = 1M'
ok "show: another one: not found" refused NOT_FOUND \
	vm-snapshot-show web snapshot=nobody
put three
ok "revert" q vm-snapshot-revert web snapshot=first
ok "both disks hold what they held" both_have one
ok "nothing else is left" is_clean 2
ok "revert to the latest" q vm-snapshot-revert web latest:true
ok "they hold that" both_have two
ok "revert to the current one" q vm-snapshot-revert web current:true
ok "revert to two of them: refused" refused USAGE \
	vm-snapshot-revert web snapshot=first latest:true
ok "rename" q vm-snapshot-rename web snapshot="$second" new=second
ok "rename to one that there is: refused" refused EXISTS \
	vm-snapshot-rename web snapshot=second new=first
ok "delete" q vm-snapshot-delete web 'snapshots:["first"]'
ok "its tags are gone" is_clean 1
ok "one that it was is not found" refused NOT_FOUND \
	vm-snapshot-revert web snapshot=first
ok "delete of two, one of them is none: refused" refused NOT_FOUND \
	vm-snapshot-delete web 'snapshots:["second","nobody"]'
ok "then none has gone" is_clean 1
ok "a dry run" q vm-snapshot-revert web latest:true dry-run:true
ok "says what it would do" says 'snapshot revert web second'

# one disk fails
put four
fails -c data
ok "create: the second disk fails" refused OS vm-snapshot-create web name=bad
ok "its words are told" says 'No space left on device'
ok "the first one has none either" is_clean 1
fails -a data
ok "revert: the second disk fails" refused OS \
	vm-snapshot-revert web snapshot=second
ok "the first one is as before, too" both_have four
ok "nothing is left" is_clean 1
fails -d data
ok "delete: its tag cannot go" q vm-snapshot-delete web \
	'snapshots:["second"]'
ok "it is deleted all the same" refused NOT_FOUND \
	vm-snapshot-show web snapshot=second
ok "the next one sweeps it" q vm-snapshot-create web name=base
ok "swept" is_clean 1

# we die in the middle
waits -c data
background create qmp '>{"execute":"vm-snapshot-create","arguments":{"vm":"web","name":"lost"}}'
ok "create: we die at the second disk" dies_there -c data
ok "it never was" is_clean 1
put five
waits -a data
background revert qmp '>{"execute":"vm-snapshot-revert","arguments":{"vm":"web","snapshot":"base"}}'
ok "revert: we die at the second disk" dies_there -a data
ok "it is done" both_have four
ok "nothing is left" is_clean 1
ok "the images were looked at for leaks" grep -q web-data "$tmp/checked"
waits -d data
background delete qmp '>{"execute":"vm-snapshot-delete","arguments":{"vm":"web","snapshots":["base"]}}'
ok "delete: we die at the second disk" dies_there -d data
ok "it is gone" is_clean 0

# a start meanwhile
waits -c data
background create qmp '>{"execute":"vm-snapshot-create","arguments":{"vm":"web","name":"slow"}}'
until_waits -c data
q vm-start web
ok "no start while a job works on it" says 'worked on: its snapshots'
daemon_ends KILL
goes_on -c data
waits -d root
daemon
background start qmp '>{"execute":"vm-start","arguments":{"vm":"web"}}' '<return'
until_waits -d root
ok "a start waits for what is mended" state_is web starting
goes_on -d root
echo >"$tmp/go"
becomes web running
ok "and then it runs" state_is web running
ok "create, of what runs: QEMU refuses" refused UNSUPPORTED \
	vm-snapshot-create web name=live
ok "then nothing is left" is_clean 0
ok "with memory: the same" refused UNSUPPORTED \
	vm-snapshot-create web name=live memory:true
ok "then nothing is left" is_clean 0
ok "nor any memory" is "$(find "${tree%/*}/web" -type f)" ''
ok "both at once: refused" refused USAGE \
	vm-snapshot-create web memory:true disk-only:true
q vm-kill web
becomes web stopped

# what cannot have snapshots
{
	cat "$tmp/disks"
	printf '[disk.raw]\nimage = web.raw\n'
} | vm web
: >"$images/web.raw"
q reload
ok "a raw disk: refused" refused UNSUPPORTED vm-snapshot-create web
ok "with the way out" says 'snapshot = no in [disk.raw] leaves it out'
{
	cat "$tmp/disks"
	printf '[disk.raw]\nimage = web.raw\nsnapshot = no\n'
} | vm web
q reload
ok "left out: taken" q vm-snapshot-create web name=two
{
	cat "$tmp/disks"
	printf '[disk.more]\nsize = 1M\n'
} | vm web
image more more
q reload
ok "another disk since: no revert" refused STATE \
	vm-snapshot-revert web snapshot=two
ok "it says which" says "disk 'more' is not in the snapshot"
vm web <"$tmp/disks"
q reload
ok "a new name for the VM" q vm-rename web new=www
ok "its snapshots go with it" q vm-snapshot-show www snapshot=two
ok "delete of the VM" q vm-delete www keep-disks:true
ok "its snapshots are forgotten" test ! -e "${tree%/*}/www.json"
daemon_ends TERM

# a crash loop
crashes() # the first time it is started again
{
	pid=$(pid_of web)
	kill -9 "$pid"
	gone "$pid"
	becomes web running
}
loops()
{
	crashes
	kill -9 "$(pid_of web)"
}
{
	cat "$tmp/disks"
	printf '[restart]\nbackoff = 10ms\nburst = 1/10min\n'
	echo 'on-crash-loop = revert:good'
} | vm web
rm -r "$tmp/tags"
daemon
ok "check: there is no such snapshot so far" q vm-check web
ok "check: says how to make it" says 'vmward snapshot create web --name good'
put good
q vm-snapshot-create web name=good
ok "check: there is" q vm-check web
ok "check: says no more" sh -c "! grep -q 'snapshot create' '$tmp/out'"
put bad
q vm-start web
q vm-explain web
ok "explain: what a crash loop would do" \
	says "A crash loop reverts it to the snapshot 'good'"
loops
ok "a crash loop: it reverts" wait_for "$daemon_log" "snapshot 'good': reverted"
becomes web running
ok "and is started again" both_have good
ok "nothing is left" is_clean 1
q vm-status web
ok "status: says it" says 'a crash loop: went back to a snapshot'
q vm-explain web
ok "explain: as well" says "It crashed in a loop and went back to the snapshot"
pid=$(pid_of web)
daemon_ends KILL
daemon
becomes web running
ok "our own crash: the same QEMU" is "$(pid_of web)" "$pid"
put worse
loops
ok "a loop again: given up" becomes web failed
ok "without a second revert" both_have worse
put bad
q vm-reset-failed web
q vm-start web
waits -a data
loops
until_waits -a data
daemon_ends KILL
goes_on -a data
daemon
becomes web running
ok "we die in the revert: it is done" both_have good
ok "we die in the revert: it runs" state_is web running
ok "nothing is left of that" is_clean 1
q vm-kill web
becomes web stopped
q vm-snapshot-delete web 'snapshots:["good"]'
q vm-reset-failed web
q vm-start web
loops
ok "no such snapshot any more: given up" becomes web failed
ok "the log says why" logged "a crash loop: cannot revert: no snapshot 'good'"
daemon_ends TERM
plan
