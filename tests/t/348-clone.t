#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# clone: the old VM cannot start meanwhile; a supervisor that is killed while
# any of the images is made leaves what was there, and nothing else.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
journal=$tmp/var/lib/vmward/deleting
# stands still at the image whose number is in $tmp/stand
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
for last; do :; done
echo made >>"$tmp/made"
if [ "\$(wc -l <"$tmp/made")" = "\$(cat "$tmp/stand")" ]; then
	echo "pid \$\$" >"$tmp/tool"
	exec sleep 1000
fi
echo new >"\$last"
EOS
mkdir -p "$images"
vm web <<EOS
[disk.root]
size = 1M
[disk.data]
image = data.raw
EOS
everything() { (cd "$images" && find . -type f -exec cksum {} +) | sort; }

at=0
for at in 1 2 3; do
	rm -f "$images"/*
	qcow2 "$images/web-root.qcow2"
	echo data >"$images/data.raw"
	before=$(everything)
	: >"$tmp/made"
	: >"$tmp/tool"
	echo "$at" >"$tmp/stand"
	daemon
	background clone qmp '>{"execute":"vm-clone","arguments":{"vm":"web","new":"two"}}' '<"'
	wait_for "$tmp/tool" pid
	read -r _ tool <"$tmp/tool"
	ok "image $at: the old VM may not start" refused BUSY vm-start web
	ok "image $at: nor be cloned twice" refused BUSY vm-clone web new=three
	ok "image $at: nor be deleted" refused BUSY vm-delete web
	daemon_ends KILL
	ok "image $at: qemu-img dies with us" gone "$tool"
	daemon
	ok "image $at: what was there is there" is "$(everything)" "$before"
	ok "image $at: no new VM" is "$(ls "$vms")" web.ini
	ok "image $at: nothing left to do" is "$(ls "$journal")" ''
	ok "image $at: it starts" q vm-start web
	q vm-kill web
	daemon_ends TERM
done

echo 0 >"$tmp/stand"
daemon
printf '#!/bin/sh\necho no room >&2\nexit 1\n' >"$tmp/bin/qemu-img"
vmward clone web two
ok "a failure: exit 1" exits 1
ok "in qemu-img's words" complains 'no room'
ok "what was there is there" is "$(everything)" "$before"
ok "it is not held any more" q vm-start web
q vm-kill web
cat >"$tmp/bin/qemu-img" <<'EOS'
#!/bin/sh
for last; do :; done
echo new >"$last"
EOS
vmward --no-block clone web late
ok "--no-block: a job's number" grep -qx 'j[0-9]*' "$tmp/out"
vmward jobs wait "$(cat "$tmp/out")"
becomes late stopped
ok "which makes the VM" test -e "$vms/late.ini"
plan
