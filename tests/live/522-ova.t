#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# image import of OVA archives: the disk is read in its place; what is no OVA,
# or leads out of it, is refused in one line.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
"$BUILD/vmwardd" --cage /dev/null - 1048576 10 /bin/true 2>/dev/null ||
	skip_all "this kernel has no Landlock"
for tool in tar sha1sum sha256sum sha512sum; do
	command -v $tool >/dev/null || skip_all "no $tool"
done

out=$tmp/outside
mkdir "$out" "$out/in"
cd "$out/in" || exit 1
dd if=/dev/urandom of=a.raw bs=64k count=32 2>/dev/null
dd if=/dev/urandom of=b.raw bs=64k count=16 2>/dev/null
for disk in a b; do
	qemu-img convert -f raw -O vmdk -o subformat=streamOptimized \
		$disk.raw $disk.vmdk
done
qemu-img convert -f raw -O vmdk a.raw sparse.vmdk
qemu-img create -q -f vmdk -o subformat=monolithicFlat flat.vmdk 1M
sed 's/parentCID=ffffffff/parentCID=00000001/' a.vmdk >child.vmdk
# describes FILE CAPACITY...: as the .ovf of them, with the hardware of a VM
describes()
{
	refs='' disks=''
	while [ $# -gt 0 ]; do
		refs="$refs<File ovf:href=\"$1\" ovf:id=\"$1\"/>"
		disks="$disks<Disk ovf:fileRef=\"$1\" ovf:capacity=\"$2\"
			ovf:capacityAllocationUnits=\"byte * 2^10\"
			ovf:format=\"http://www.vmware.com/x/vmdk.html\"/>"
		shift 2
	done
	cat <<EOS
<?xml version="1.0"?>
<Envelope xmlns:ovf="u"><References>$refs</References>
<DiskSection><Info/>$disks</DiskSection>
<VirtualSystem ovf:id="vm"><Name>My Web (1)</Name><VirtualHardwareSection>
<Item><ResourceType>3</ResourceType><VirtualQuantity>2</VirtualQuantity></Item>
<Item><AllocationUnits>byte * 2^20</AllocationUnits>
<ResourceType>4</ResourceType><VirtualQuantity>512</VirtualQuantity></Item>
</VirtualHardwareSection></VirtualSystem></Envelope>
EOS
}
describes a.vmdk 2048 b.vmdk 1024 ./sparse.vmdk 2048 flat.vmdk 1024 \
	child.vmdk 2048 link.vmdk 1 hard.vmdk 2048 dir.vmdk 1 junk.vmdk 1 >x.ovf
printf 'x' >note.txt
ova() # NAME FILE...
{
	name=$1
	shift
	tar --format=ustar -cf "$out/$name.ova" "$@"
}
# spoilt NAME OFFSET BYTES: a good archive with other bytes there
spoilt()
{
	cp "$out/one.ova" "$out/$1.ova"
	printf '%b' "$3" | dd of="$out/$1.ova" bs=1 seek="$2" conv=notrunc \
		2>/dev/null
}
refuses() # STATUS TEXT FILE ARG...
{
	want=$1 text=$2
	shift 2
	before=$(ls -lA "$images")
	vmward image import "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(ls -lA "$images")" "$before"
}
same() { qemu-img compare -q -f raw -F qcow2 "$1.raw" "$images/$2"; }

up
ova one x.ovf note.txt a.vmdk
ova two x.ovf a.vmdk b.vmdk
ova sparse x.ovf sparse.vmdk
ok "one disk" does image import "$out/one.ova"
ok "its content" same a one.qcow2
next='vmward create my-web-1 --base one.qcow2 --memory 512M --cpus 2'
ok "and what it was in is offered" says "imported; next: $next"
# shellcheck disable=SC2086 # words
ok "that can be said" does ${next#vmward } --print
ok "it stands alone" is "$(qemu-img info --output=json "$images/one.qcow2" |
	jq -r '.["backing-filename"]')" null
ok "one of two" does image import "$out/two.ova" --disk b.vmdk
ok "the right one" same b two.qcow2
ok "one that was not streamed" does image import "$out/sparse.ova"
ok "its content" same a sparse.qcow2
ok "a dry run only says so" does -n image import "$out/one.ova" --name n.qcow2
ok "another format" does image import "$out/one.ova" --name raw.raw
ok "its content" cmp a.raw "$images/raw.raw"

# said NAME MANIFEST FILE...: an archive with that manifest
said()
{
	name=$1
	printf '%s\n' "$2" >x.mf
	shift 2
	ova "$name" x.ovf x.mf "$@"
}
sums() # TOOL FILE...: as a manifest says them
{
	tool=$1
	shift
	"${tool}sum" "$@" | while read -r sum file; do
		echo "$(echo "$tool" | tr "[:lower:]" "[:upper:]")($file)= $sum"
	done
}
for tool in sha1 sha256 sha512; do
	said $tool "$(sums $tool x.ovf a.vmdk)" a.vmdk
	ok "a manifest: $tool" does image import "$out/$tool.ova"
	ok "its content" same a $tool.qcow2
done
said both "$(sums sha256 a.vmdk x.ovf b.vmdk)" a.vmdk b.vmdk
ok "one of two with a manifest" does image import "$out/both.ova" --disk b.vmdk
ok "the right one" same b both.qcow2

# described NAME TEXT: an archive of one disk with that .ovf
described()
{
	cp x.ovf keep.ovf
	cat >x.ovf
	ova "$1" x.ovf a.vmdk
	mv keep.ovf x.ovf
}
describes b.vmdk 1024 | described not-told
describes a.vmdk 2047 | described smaller
describes a.vmdk 4096 | described larger
describes a.vmdk 2048 | sed 's/vmdk.html/vhd/' | described other-kind
describes a.vmdk 2048 | sed '2i <!DOCTYPE x [<!ENTITY y SYSTEM "/etc/shadow">]>' |
	described entity
describes a.vmdk 2048 | sed '$d' | described cut-short
echo '<html/>' | described other-xml
head -c 1100000 /dev/zero | tr '\0' ' ' | described long-text
ova plain note.txt a.vmdk
said other-disk "$(sums sha256 x.ovf a.vmdk | sed '2s/= ./= /; 2s/$/0/')" a.vmdk
said other-text "$(sums sha1 x.ovf a.vmdk | sed '1s/= ./= /; 1s/$/0/')" a.vmdk
said no-disk "$(sums sha256 x.ovf)" a.vmdk
said no-text "$(sums sha256 a.vmdk)" a.vmdk
said away "$(sums sha256 x.ovf a.vmdk b.vmdk)" a.vmdk
said shadow "$(sums sha256 x.ovf a.vmdk)$(printf '\n%s' \
	"$(sums sha256 /dev/null | sed 's|/dev/null|../../../etc/shadow|')")" a.vmdk
said md5 "MD5(x.ovf)= d41d8cd98f00b204e9800998ecf8427e" a.vmdk
said twice "$(sums sha1 x.ovf x.ovf a.vmdk)" a.vmdk
head -c 70000 /dev/zero | tr '\0' '\n' >x.mf
ova long x.ovf x.mf a.vmdk
head -c 100 /dev/zero >x.mf
ova binary x.ovf x.mf a.vmdk
cp x.mf y.mf
ova mf-twice x.ovf x.mf y.mf a.vmdk
ova empty x.ovf note.txt
ova flat x.ovf flat.vmdk
ova child x.ovf child.vmdk
ln -s /etc/shadow link.vmdk
ova link x.ovf link.vmdk
ln a.vmdk hard.vmdk
tar --format=ustar -cf "$out/hard.ova" x.ovf a.vmdk hard.vmdk
mkdir dir.vmdk
ova dir x.ovf dir.vmdk
cp note.txt junk.vmdk
ova junk x.ovf junk.vmdk
tar --format=pax --pax-option=exthdr.name=x,foo=bar -cf "$out/pax.ova" \
	x.ovf a.vmdk
long=$(printf '%0120d' 7).vmdk
cp a.vmdk "$long"
tar --format=gnu -cf "$out/gnu.ova" x.ovf "$long"
tar --format=ustar -P --transform 's|^b|../../../b|' -cf "$out/up.ova" \
	x.ovf b.vmdk
printf 'x' >"$out/short.ova"
head -c 4096 /dev/urandom >"$out/noise.ova"
: >"$out/nothing.ova"
head -c 1024 /dev/zero >"$out/zeros.ova"
head -c 20000 "$out/one.ova" >"$out/cut.ova"
spoilt sum 0 y
spoilt size 124 '77777777777'
spoilt minus 124 '-7777777777'
spoilt base256 124 '\0200\0377\0377\0377'
mkdir many
i=0
while [ $i -lt 70 ]; do
	: >"many/$i"
	i=$((i + 1))
done
ova many many x.ovf a.vmdk
mkfifo "$out/fifo.ova"
while IFS='|' read -r want text words; do
	[ -n "$want" ] || continue
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses "$want" "$text" $words
done <<EOS
1|it is no OVA|$out/plain.ova
1|another digest than that of 'a.vmdk'|$out/other-disk.ova
1|another digest than that of 'x.ovf'|$out/other-text.ova
1|no digest of 'a.vmdk'|$out/no-disk.ova
1|no digest of 'x.ovf'|$out/no-text.ova
1|not there: 'b.vmdk'|$out/away.ova
1|not there: '../../../etc/shadow'|$out/shadow.ova
1|has a line that is no digest|$out/md5.ova
1|tells twice of 'x.ovf'|$out/twice.ova
1|.mf is too long|$out/long.ova
1|.mf is no text|$out/binary.ova
1|two manifests|$out/mf-twice.ova
1|has no disk|$out/empty.ova
1|list of other files|$out/flat.ova
1|on top of another|$out/child.ova
1|has no disk|$out/link.ova
1|has no disk|$out/dir.ova
1|list of other files|$out/junk.ova
1|of a kind that no OVA is|$out/pax.ova
1|of a kind that no OVA is|$out/gnu.ova
1|its .ovf tells of no disk '../../../b.vmdk'|$out/up.ova
1|its .ovf tells of no disk 'a.vmdk'|$out/not-told.ova
1|its .ovf says that 'a.vmdk' has 2096128 bytes, but it has 2097152|$out/smaller.ova
1|its .ovf says that 'a.vmdk' has 4194304 bytes, but it has 2097152|$out/larger.ova
1|its .ovf says that 'a.vmdk' is no vmdk|$out/other-kind.ova
1|line 2: a document type|$out/entity.ova
1|it ends too early|$out/cut-short.ova
1|it has no Envelope|$out/other-xml.ova
1|its .ovf is too long|$out/long-text.ova
1|no tar archive|$out/short.ova
1|no tar archive|$out/noise.ova
1|no tar archive|$out/nothing.ova
1|no description|$out/zeros.ova
1|longer than it all|$out/cut.ova
1|no tar archive|$out/sum.ova
1|no tar archive|$out/size.ova
1|no tar archive|$out/minus.ova
1|no tar archive|$out/base256.ova
1|too many files|$out/many.ova
1|no plain file|$out/fifo.ova
4|no file|$out/none.ova
2|2 disks: say --disk with one of a.vmdk, b.vmdk|$out/two.ova
4|has no disk 'c.vmdk', but a.vmdk, b.vmdk|$out/two.ova --disk c.vmdk
2|are vmdk, not raw|$out/one.ova --format raw --name x.qcow2
2|is one of an archive|$out/in/a.vmdk --disk a.vmdk
EOS
ok "a second link has no contents" does image import "$out/hard.ova"
ok "nothing is left" nothing_left
plan
