#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What a QEMU can do is what its VM needs: seen from outside, and by code
# that runs in it.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ "$(id -u)" = 0 ] || skip_all "a user of its own takes root"
settings=$tmp/etc/vmward/vmward.ini
first=1987510272
last=1987575807

has_landlock() { "$BUILD/vmwardd" --cage /dev/null - 1048576 10 /bin/true; }
proc() { awk -v key="$2:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$(pid_of "$1")/status"; }
uid_of() { proc "$1" Uid | cut -d' ' -f1; }
is_proc() { is "$(proc "$1" "$2")" "$3"; }
is_in_pool() { [ "$1" -ge "$first" ] && [ "$1" -le "$last" ]; }
is_named() { vmward status "$1" && says "uid $(uid_of "$1")"; }
environment() { tr '\0' '\n' <"/proc/$(pid_of "$1")/environ" | cut -d= -f1 | sort | tr '\n' ' '; }
lacks() { is "$(of "$1" 'confinement.lacks | join(",")')" "$2"; }
limit() { sed -n "s/^$2  *\\([^ ]*\\).*/\\1/p" "/proc/$(pid_of "$1")/limits"; }
opens() { ls -l "/proc/$(pid_of "$1")/fd"; }
opens_only() # NAME: no file by path but those of its own list
{
	opens "$1" | sed -n 's/.* -> //p' |
		grep -vE '^(socket:|anon_inode:|pipe:|/dev/(kvm|null)|/memfd:)' |
		grep -vE "/(priv/(stderr|lock)|images/$1\\.raw|$1-[a-z]*\\.raw)\$" \
			>"$tmp/strange"
	[ ! -s "$tmp/strange" ] || { cat "$tmp/strange"; false; }
}

up
guest a tcg </dev/null
guest b tcg </dev/null
ok "two VMs start" starts a b --wait=ready
a=$(uid_of a)
ok "one has a user of the pool" is_in_pool "$a"
ok "the other has another" [ "$a" != "$(uid_of b)" ]
ok "all four of its uids" is_proc a Uid "$a $a $a $a"
ok "and its gids" is_proc a Gid "$a $a $a $a"
ok "no other group" is_proc a Groups ""
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	ok "no capability: $set" is_proc a "$set" 0000000000000000
done
ok "no new privileges" is_proc a NoNewPrivs 1
ok "QEMU's sandbox" is_proc a Seccomp 2
ok "umask" is_proc a Umask 0077
ok "two words of environment" is "$(environment a)" "LANG PATH "
ok "no cores" is "$(limit a 'Max core file size')" 0
ok "not more tasks than it needs" is "$(limit a 'Max processes')" 514
ok "only descriptors that were meant for it" opens_only a
ok "status tells its user" is_named a
if has_landlock; then
	ok "and that nothing is missing" lacks a ""
	ok "under TCG that is no isolation all the same" is_column a isolation 'none(tcg)'
else
	echo "# no Landlock"
fi

# ---- it can be plugged all the same ----

truncate -s 1M "$images/a-more.raw"
ok "a disk is plugged" does disk attach a more image=a-more.raw
ok "by descriptor" opens_only a

# ---- a VM keeps its user ----

down
up
ok "adopted" becomes a running
ok "status still knows" is_named a
stops a
starts a --wait=ready
ok "the next life has the same user" is "$(uid_of a)" "$a"
does kill --yes a b
does rename a z
starts z --wait=ready
ok "so has a renamed one" is "$(uid_of z)" "$a"
does kill --yes z

# ---- a device of its own where the host's is root's ----

if [ "$(accelerators | tail -n 1)" = kvm ]; then
	guest k kvm </dev/null
	ok "a guest under KVM" starts k --wait=ready
	ok "is confined" is_in_pool "$(uid_of k)"
	! has_landlock || ok "fully" is_column k isolation full
	does kill --yes k
else
	echo "# no KVM"
fi

# ---- code that runs in it ----

# a copy of QEMU that may read what lies beside it
plant()
{
	mkdir -p "$tmp/opt/bin" "$tmp/opt/lib"
	cp "$(command -v "$QEMU")" "$tmp/opt/bin/qemu-system-x86_64"
	cp "$BUILD/tests/peer/probe.so" "$tmp/opt/lib"
	ln -s /usr/share "$tmp/opt/share"
	ln -s /usr/lib/* "$tmp/opt/lib"
	chmod 711 "$tmp" # so far it may look
	PATH=$tmp/opt/bin:$PATH
}

# probe STEP...: they are tried when p starts
probe()
{
	{
		cat "$tmp/p.ini"
		printf '[raw]\narg-1 = -plugin %s/opt/lib/probe.so' "$tmp"
		printf ',%s' "$@"
		echo
	} >"$vms/p.ini"
	vmward reload
	vmward start p --wait=ready
}
tried() { vmlog_says p "probe $1: $2"; }
refused() { tried "$1" "refused 13"; }

if "$QEMU" -plugin help 2>&1 | grep -q 'invalid option'; then
	echo "# this QEMU takes no plugins"
else
	leave
	plant
	up
	guest p tcg </dev/null
	cp "$vms/p.ini" "$tmp/p.ini"
	starts b --wait=ready
	chmod 644 "$images/b.raw"
	probe read=/etc/shadow read=/etc/passwd "write=$tmp/mine" \
		write=/tmp/mine "read=$images/b.raw" "read=$run/b/priv/lock" \
		"socket=$control" "socket=$run/p/priv/monitor" \
		"signal=$(pid_of b)" "read=/proc/$(pid_of b)/maps" \
		read=/usr/share/seabios/bios-256k.bin
	ok "it runs with a stranger in it" is_state p running
	ok "which may not read shadow" refused read=/etc/shadow
	ok "nor write beside us" refused "write=$tmp/mine"
	ok "nor read the disk of another" refused "read=$images/b.raw"
	ok "nor its lock" refused "read=$run/b/priv/lock"
	ok "is not served by us" tried "socket=$control" refused
	ok "nor comes to a monitor" refused "socket=$run/p/priv/monitor"
	ok "nor signals another QEMU" tried "signal=$(pid_of b)" "refused 1"
	ok "nor looks into it" refused "read=/proc/$(pid_of b)/maps"
	ok "but reads firmware" tried read=/usr/share/seabios/bios-256k.bin works
	if has_landlock; then
		ok "by no uid: passwd" refused read=/etc/passwd
		ok "by no uid: /tmp" refused write=/tmp/mine
	fi
	does kill --yes p
	probe later=fork
	ok "it waits for its moment" tried later=fork works
	ok "and is a VM that runs" is_state p running
	kill -USR2 "$(pid_of p)"
	ok "then it forks: the cause is sandbox" \
		eventually vmlog_says p 'ended: sandbox'
	does kill --yes p
	for what in fork=1 exec=/bin/true root=0; do
		probe "$what"
		ok "$what is its end" fails_with 1 start p
		ok "which says so" complains "sandbox (signal 31)"
	done
fi

# ---- what cannot be applied ----

guest c tcg </dev/null
printf '[confinement]\nuid-range = 60000-65534\n' >"$settings"
does reload
ok "uids of others are refused" fails_with 1 start c
ok "with whose they are" complains "overlaps with 'nobody' of /etc/passwd"
sed 's/^accel/confinement = best-effort\n&/' "$vms/c.ini" >"$vms/c.ini.new"
mv "$vms/c.ini.new" "$vms/c.ini"
does reload
ok "best-effort starts it" starts c
ok "as root" is_proc c Uid "0 0 0 0"
ok "without privileges" is_proc c CapEff 0000000000000000
ok "and says what it lacks" lacks c "own user"
does kill --yes c
sed 's/best-effort/off/' "$vms/c.ini" >"$vms/c.ini.new"
mv "$vms/c.ini.new" "$vms/c.ini"
does reload
ok "off starts it" starts c
ok "with all that root may" [ "$(proc c CapEff)" != 0000000000000000 ]
ok "which is said" lacks c "own user,no privileges,Landlock,limits"
does kill --yes c
plan
