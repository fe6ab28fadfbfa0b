#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# cpu set, memory set, balloon: how large a running VM is.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"

size() # NAME: vCPUs and bytes of memory by QEMU itself
{
	vmward qmp "$1" query-cpus-fast
	jq -j 'length' "$tmp/out"
	vmward qmp "$1" query-memory-size-summary
	jq -j '" \(.["base-memory"]) \(.["plugged-memory"])"' "$tmp/out"
}

requested() # NAME: bytes that the guest is offered
{
	vmward qmp "$1" qom-get path=/machine/peripheral/vmem0 \
		property=requested-size
	cat "$tmp/out"
}

has_line() { grep -qxF "$2" "$vms/$1.ini.d/50-vmward.ini"; }

sizes() # ACCEL
{
	a=$1 v=size-$1
	guest "$v" "$a" </dev/null
	sed -i 's/^memory = .*/&\nmemory-max = 72M\ncpus-max = 3/' "$vms/$v.ini"
	starts "$v" --wait=ready
	ok "$a: as its file says" does drift "$v"
	ok "$a: one vCPU" is "$(size "$v")" "1 8388608 0"
	ok "$a: two more" does cpu set "$v" 3
	ok "$a: QEMU has them" is "$(size "$v")" "3 8388608 0"
	ok "$a: the file says so" has_line "$v" 'cpus = 3'
	ok "$a: list as well" is_column "$v" CPUS 3
	ok "$a: nothing differs" does drift "$v"
	vmward cpu set "$v" 4
	ok "$a: more than there is room for" exits 1
	ok "$a: with the remedy" complains \
		'room for 3 vCPUs: write cpus-max and start it anew'
	pid=$(pid_of "$v")
	vmward cpu set "$v" 2
	ok "$a: fewer again would kill QEMU" exits 1
	ok "$a: so it is refused" complains 'not unplugged under TCG'
	ok "$a: still three" is "$(size "$v")" "3 8388608 0"

	vmward memory set "$v" 40M
	ok "$a: a guest without virtio-mem is offered more" exits 0
	ok "$a: and has not taken it" says \
		'the guest has 8M, not 40M, so far; it goes on'
	ok "$a: QEMU offers it" is "$(requested "$v")" 33554432
	vmward drift "$v"
	ok "$a: that is a drift" exits 8
	ok "$a: which is told" says \
		'[vm] memory 8M -> 40M (at cold start: that is what QEMU has)'
	vmward memory set "$v" 4M
	ok "$a: less than it was started with" exits 1
	ok "$a: with the remedy" complains 'less by vmward balloon'
	vmward memory set "$v" 80M
	ok "$a: more than there is room for" exits 1
	vmward memory set "$v" 41M
	ok "$a: half a block: exit 2" exits 2
	vmward balloon "$v" 80M
	ok "$a: a balloon cannot blow: exit 2" exits 2
	vmward balloon "$v" 4M --timeout 100ms
	ok "$a: a guest without a balloon is asked" says \
		'the guest has 8M, not 4M, so far'
	vmward save "$v"
	ok "$a: what was resized is not saved" exits 1
	ok "$a: with the remedy" complains 'vmward restart it first'
	ok "$a: the same QEMU all along" same_pid "$v" "$pid"
	down
	up
	becomes "$v" running
	ok "$a: a successor knows how many" is_column "$v" CPUS 3
	ok "$a: and how much" is_column "$v" MEMORY 40M
	ok "$a: a cold start" does restart "$v"
	becomes "$v" ready
	ok "$a: brings all of it" is "$(size "$v")" "3 41943040 0"
	ok "$a: nothing differs" does drift "$v"

	sed -i 's/^memory = .*/memory = 8M/' "$vms/$v.ini"
	does unset "$v" vm.cpus vm.memory >/dev/null
	vmward plan "$v"
	ok "$a: less waits for a cold start" says \
		'memory 40M -> 8M (at cold start: it was started with more)'
	does restart "$v" >/dev/null
	becomes "$v" ready
	sed -i 's/^memory = .*/memory = 24M\ncpus = 2/' "$vms/$v.ini"
	ok "$a: apply does both" does apply "$v"
	ok "$a: which it says" says '2 changes done'
	ok "$a: QEMU has it" is "$(size "$v") $(requested "$v")" "2 8388608 0 16777216"
	vmward apply "$v"
	ok "$a: once is enough" says 'already'
	does kill "$v" >/dev/null
	vmward cpu set "$v" 1 --runtime
	ok "$a: what does not run has no size for now: exit 3" exits 3
	ok "$a: but a file" does cpu set "$v" 1
	ok "$a: which says so" has_line "$v" 'cpus = 1'
	vmward cpu set "$v" 0
	ok "$a: none: exit 2" exits 2
}

lets_go() # NAME: the guest answers until we have seen it
{
	types "$1" u
	test -e "$tmp/seen"
}

# Under KVM what was plugged in goes again, if the guest lets it.
fewer()
{
	a=kvm v=less-kvm
	guest "$v" "$a" </dev/null
	sed -i 's/^memory = .*/&\ncpus-max = 3/' "$vms/$v.ini"
	starts "$v" --wait=ready
	types "$v" u # no more as QEMU of old did it
	counts "$v" >/dev/null
	ok "$a: two more" does cpu set "$v" 3
	eventually lets_go "$v" >/dev/null 2>&1 &
	ok "$a: and they go again" does cpu set "$v" 1
	touch "$tmp/seen"
	wait $!
	ok "$a: QEMU has one" is "$(size "$v")" "1 8388608 0"
	ok "$a: nothing differs" does drift "$v"
	does cpu set "$v" 2 >/dev/null
	vmward cpu set "$v" 1
	ok "$a: a guest that keeps it" exits 1
	ok "$a: is told" complains 'does not let a vCPU go: it has 2'
	ok "$a: it runs on" obeys "$v"
	does kill "$v" >/dev/null
}

# In a guest that takes part.
linux()
{
	cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
	cat >"$vms/big.ini" <<-EOF
	[vm]
	memory = 192M
	memory-max = 448M
	cpus-max = 2
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1 name=%n
	[start]
	ready = serial:^READY up=
	EOF
	patience=60
	ok "linux: it starts" starts big --wait=ready
	from=$(size_of "$logs/big/console.log")
	ok "linux: a vCPU comes" does cpu set big 2
	ok "linux: the guest sees it" eventually says_after big "$from" \
		'^HOTPLUG add cpu cpu1'
	ok "linux: and uses it" answers big 'nproc
' '^2$'
	ok "linux: memory comes" does memory set big 320M
	ok "linux: the guest has it" eventually is_size big "2 201326592 134217728"
	ok "linux: nothing differs" does drift big
	ok "linux: some of it goes again" does memory set big 256M
	ok "linux: the guest gave it" eventually is_size big "2 201326592 67108864"
	ok "linux: the balloon takes some" does balloon big 224M --timeout 20s
	ok "linux: all that was asked" says 'done'
	does kill big >/dev/null
}

is_size() { is "$(size "$1")" "$2"; }

up
sizes tcg
case $(accelerators) in
*kvm*) fewer ;;
esac
if [ -e "$BUILD/guest/vmlinuz" ]; then
	linux
fi
ok "nothing is left" nothing_left
plan
