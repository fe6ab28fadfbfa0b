#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# [limits]: control groups of real QEMUs, below the group of this test alone.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

# ours NAME CONTROLLER: where its QEMU is in that hierarchy; "": nowhere new
ours()
{
	sed -n "s/^[0-9]*:\(.*,\)\{0,1\}$2\(,[^:]*\)\{0,1\}:.*\(\/vmward-[0-9a-f]*\/vm-$1\)$/\3/p" \
		"/proc/$(pid_of "$1")/cgroup"
}
# leaf NAME FILE: the path of a file of its groups
leaf() { find /sys/fs/cgroup -path "*/vm-$1/$2" 2>/dev/null | head -n 1; }
holds() { is "$(cat "$(leaf "$1" "$2")")" "$3"; } # NAME FILE TEXT
is_left() { [ "$(left "$1")" -eq "$2" ]; } # NAME N
left() { find /sys/fs/cgroup -type d -name "vm-$1" 2>/dev/null | wc -l; }
limits() # NAME JQ: of its status
{
	"$BUILD/vmward" --root "$tmp" --json status "$1" 2>/dev/null |
		jq -r ".. | objects | select(.name? == \"$1\") | .limits | $2"
}
set_key() { sed -i "s/^$2 = .*/$2 = $3/" "$vms/$1.ini"; } # NAME KEY VALUE

up
guest plain tcg </dev/null
guest lim-a tcg <<'EOS'
[limits]
cpu = 150%
cpu-weight = 50
memory = 400M
pids = 100
oom-score = 900
EOS
starts plain --wait=ready
ok "a VM without limits has no groups" is "$(left plain)" 0
ok "and its status says nothing of them" is "$(limits plain .)" null
starts lim-a --wait=ready

# ---- what cannot be limited is said, and the VM runs ----

ok "with limits it runs" is_state lim-a running
if [ "$(limits lim-a '.lacks | length')" -ne 0 ]; then
	limits lim-a '.lacks[] | "# lacks \(.key): \(.why)"'
	ok "each limit that does not hold has a reason" is \
		"$(limits lim-a '[.lacks[] | select(.why == "")] | length')" 0
	vmward status lim-a
	ok "status says so" says 'lacks '
	stops lim-a --now
	plan
	exit 0
fi
vmward status lim-a
ok "status tells its limits" says 'cpu 150%, cpu-weight 50, memory 400M'
ok "the score of the one to be killed" is \
	"$(cat "/proc/$(pid_of lim-a)/oom_score_adj")" 900
v1=
[ -z "$(leaf lim-a cpu.cfs_quota_us)" ] || v1=yes
for controller in ${v1:+cpu memory pids}; do
	ok "born into a group of $controller" is \
		"$(ours lim-a "$controller" | grep -c .)" 1
done
if [ -n "$v1" ]; then
	ok "its share of processors" holds lim-a cpu.cfs_quota_us 150000
	ok "its weight" holds lim-a cpu.shares 512
	ok "its memory" holds lim-a memory.limit_in_bytes 419430400
	ok "no group of what is not limited" is "$(ours lim-a cpuset)" ""
else
	ok "its share of processors" holds lim-a cpu.max '150000 100000'
	ok "its memory" holds lim-a memory.max 419430400
fi
ok "its threads" holds lim-a pids.max 100
ok "nothing differs" does drift lim-a

# ---- while it runs ----

pid=$(pid_of lim-a)
set_key lim-a cpu 80%
set_key lim-a pids 90
sed -i 's/^cpu-weight = .*/cpuset = 0/' "$vms/lim-a.ini"
vmward plan lim-a
ok "plan: a changed one" says '[limits] cpu 150% -> 80% (now, by vmward apply)'
ok "plan: one that goes" says '[limits] cpu-weight 50 -> default'
ok "plan: one that comes" says '[limits] cpuset default -> 0'
ok "apply" does apply lim-a
ok "the same QEMU" same_pid lim-a "$pid"
ok "has other limits: threads" holds lim-a pids.max 90
ok "processors" holds lim-a cpuset.cpus 0
ok "all of its threads" is \
	"$(cat /proc/"$pid"/task/*/status | sed -n 's/^Cpus_allowed_list:.//p' |
		sort -u)" 0
ok "nothing differs" does drift lim-a
echo 77 >"$(leaf lim-a pids.max)"
vmward drift lim-a
ok "drift: somebody wrote into its group" \
	says '[limits] pids 77 -> 90 (now, by vmward apply: its control group was changed by hand)'
ok "apply mends it" does apply lim-a
ok "it is mended" holds lim-a pids.max 90
set_key lim-a cpu 60%
set_key lim-a cpuset 0,8000
vmward apply lim-a
ok "a processor that is not there" exits 1
ok "is named" complains 'cannot write'
ok "and nothing else was changed" is \
	"$(limits lim-a '.cpu + " " + .cpuset')" '80% 0'
set_key lim-a cpu 80%
set_key lim-a cpuset 0

# ---- ours dies, theirs go on ----

down
up
ok "adopted, with its limits" becomes lim-a running
ok "by the same QEMU" same_pid lim-a "$pid"
ok "nothing differs" does drift lim-a
sed -i 's/^\[start\]/[restart]\npolicy = no\n&/' "$vms/lim-a.ini"
vmward reload
timeout 20 "$BUILD/vmward" --root "$tmp" qmp lim-a object-add \
	qom-type=memory-backend-ram id=big size=1073741824 prealloc=true \
	>/dev/null 2>&1
ok "more memory than it may have: killed for that, told apart" \
	ends_with lim-a out-of-memory
ok "its groups are gone" eventually is_left lim-a 0
starts lim-a --wait=ready
ok "again: groups of its own" test "$(left lim-a)" -gt 0

# nobody watches
pid=$(pid_of lim-a)
procs=$(dirname "$(leaf lim-a "memory.${v1:+limit_in_bytes}")")/cgroup.procs
[ -n "$v1" ] || procs=$(dirname "$(leaf lim-a memory.max)")/cgroup.procs
down
sh -c "echo \$\$ >'$procs'; exec head -c 1G /dev/zero | tail" \
	>/dev/null 2>&1 </dev/null
is_gone "$pid"
up
ok "killed for memory while nobody watched: found out later" \
	ends_with lim-a out-of-memory
ok "its groups are gone" eventually is_left lim-a 0
starts lim-a --wait=ready
stops lim-a --now
ok "stopped: its groups are gone" eventually is_left lim-a 0

# ---- a crash of ours in the midst of it ----

starts lim-a --wait=ready
pid=$(pid_of lim-a)
down
kill -9 "$pid"
is_gone "$pid"
ok "both died: groups are left" test "$(left lim-a)" -gt 0
up
ok "and taken away" eventually is_left lim-a 0
stops plain --now

# ---- what this host has not ----

guest lim-b tcg <<'EOS'
[limits]
numa = 77
memory = 4M
EOS
vmward check lim-b
ok "a node of memory that is not there" \
	says 'numa: this host has no memory node 77'
ok "less than the guest alone" says '[limits] memory: the guest alone may have'
guest lim-c tcg <<'EOS'
[limits]
numa = 0
EOS
ok "a node that is there" starts lim-c --wait=ready
stops lim-c --now
plan
