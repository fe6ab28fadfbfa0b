#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Once: two starts at once passed a quota that had room for one, and an import
# took a name that another job was making.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

images=$tmp/var/lib/vmward/images
pools=$tmp/etc/vmward/pools
# makes an image once it may: a line for each comes out of $tmp/go
mkfifo "$tmp/go"
exec 8<>"$tmp/go"
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
for last; do :; done
for word; do case \$word in /*) image=\$word ;; esac; done
echo "made \$image" >>"$tmp/made"
head -n 1 <"$tmp/go" >/dev/null
truncate -s 48M "\$image"
EOS
: >"$tmp/made"
mkdir -p "$pools"
printf '[pool]\nquota = 64M\n' >"$pools/default.ini"
for name in one two; do
	printf '[disk.root]\nimage = %s.raw\nsize = 48M\n' "$name" | vm "$name"
done
daemon
background first qmp '>{"execute":"vm-start","arguments":{"vm":"one"}}' '<"'
wait_for "$tmp/made" made
ok "the second has no room while the first is made" \
	refused LIMIT vm-start two
ok "it says what is needed and what is left" \
	says "needs 48M more of pool 'default', whose quota of 64M has 16M left"
ok "nothing of it is made" is "$(find "$images" -name 'two*')" ''
echo go >&8
ok "the first starts" ended first
ok "then as well there is no room" refused LIMIT vm-start two
rm "$images/one.raw"
q vm-kill one
background third qmp '>{"execute":"vm-start","arguments":{"vm":"two"}}' '<"'
echo go >&8
ok "the claim is gone with its image: the second starts" ended third
q vm-kill two
rm "$images"/*.raw

: >"$tmp/made"
: >"$tmp/outside.raw"
background making qmp \
	'>{"execute":"image-create","arguments":{"image":"new.raw","size":1048576}}' '<"'
wait_for "$tmp/made" made
vmward image import "$tmp/outside.raw" --name new.raw
ok "an import waits for no name: exit 1" exits 1
ok "it says who makes it" complains 'works on image'
echo go >&8
ok "which is made" ended making
daemon_ends TERM
plan
