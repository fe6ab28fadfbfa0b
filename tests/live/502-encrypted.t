#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Encrypted images (LUKS in qcow2): the secret is in no argument, no
# environment, no log and no answer; what lacks it is refused.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
real=$(command -v qemu-img)
mkdir "$tmp/bin"
PATH=$tmp/bin:$PATH
umask 077
word=correct-horse-battery
printf '%s\n' "$word" >"$tmp/key"
printf 'other-%s' "$word" >"$tmp/other"

# the stand-in waits until its arguments and environment were looked at
cat >"$tmp/bin/qemu-img" <<EOS
#!/bin/sh
tr '\\0' '\\n' <"/proc/\$\$/cmdline" >>"$tmp/seen"
tr '\\0' '\\n' <"/proc/\$\$/environ" >>"$tmp/seen"
printf '%s\\n' "\$@" >>"$tmp/words"
exec "$real" "\$@"
EOS
chmod +x "$tmp/bin/qemu-img"

refuses() # STATUS TEXT VERB...
{
	want=$1 text=$2
	shift 2
	find "$images" | sort >"$tmp/ls"
	vmward image "$@"
	exits "$want" && complains "$text" &&
		is "$(grep -c '^vmward: ' "$tmp/err")" 1 &&
		find "$images" | sort | diff "$tmp/ls" -
}
opens() # FILE KEY
{
	printf '%s' "$2" >"$tmp/k"
	"$real" check -q --object "secret,id=k,file=$tmp/k" --image-opts \
		"driver=qcow2,encrypt.key-secret=k,file.filename=$images/$1"
}

# a LUKS key costs two seconds of a whole core
vmward()
{
	timeout 300 "$BUILD/vmward" --root "$tmp" "$@" >"$tmp/out" \
		2>"$tmp/err" </dev/null
	status=$?
}

up
ok "an encrypted image" does image create safe.qcow2 4M --secret-file key
ok "its secret has no line end" opens safe.qcow2 "$word"
ok "info needs none" does image info safe.qcow2
ok "and says that it is encrypted" says encrypted
# one whose key costs little
printf '%s' "$word" >"$tmp/k"
dd if=/dev/urandom of="$images/plain.raw" bs=64k count=16 2>/dev/null
"$real" create -q --object "secret,id=k,file=$tmp/k" -f qcow2 -o \
	encrypt.format=luks,encrypt.key-secret=k,encrypt.iter-time=10 \
	"$images/a,b.qcow2" 1M
"$real" convert -n --object "secret,id=k,file=$tmp/k" -f raw \
	--target-image-opts "$images/plain.raw" \
	"driver=qcow2,encrypt.key-secret=k,file.filename=$images/a,,b.qcow2"
ok "check opens it" does image check "$images/a,b.qcow2" --secret-file key
ok "convert to a plain one" \
	does image convert "$images/a,b.qcow2" back.raw --secret-file key
ok "the same bytes" cmp "$images/plain.raw" "$images/back.raw"
ok "from one secret to another" does image convert "$images/a,b.qcow2" \
	c.qcow2 --secret-file key --new-secret-file other
ok "that opens it" opens c.qcow2 "other-$word"
ok "resize" does image resize "$images/a,b.qcow2" 8M --secret-file key
ok "it has" is "$("$real" info -f qcow2 --output=json \
	"$images/a,b.qcow2" | jq '."virtual-size"')" 8388608

# ---- where it was not ----

ok "qemu-img ran" grep -q encrypt.format=luks "$tmp/words"
ok "the secret is in no argument, no environment" \
	sh -c "! grep -F '$word' '$tmp/seen' '$tmp/words'"
ok "in no file of ours" sh -c "! grep -rF '$word' '$tmp/var' '$tmp/run' \
	'$tmp/sup.log'"
# a long run is looked at from outside
head -c 300M /dev/urandom >"$images/big.raw"
"$BUILD/vmward" --root "$tmp" --no-block image convert big.raw big.qcow2 \
	--new-secret-file key >"$tmp/job"
runs() { pgrep -f "^$real convert .*$images" >"$tmp/pid"; }
ok "a long run" eventually runs
pid=$(head -n 1 "$tmp/pid")
tr '\0' '\n' <"/proc/$pid/cmdline" >"$tmp/cmdline"
tr '\0' '\n' <"/proc/$pid/environ" >"$tmp/environ"
tr '\0' '\n' <"/proc/$vmwardd_pid/cmdline" >>"$tmp/cmdline"
ok "it is that" grep -q newkey "$tmp/cmdline"
ok "/proc/PID does not tell" \
	sh -c "! grep -F '$word' '$tmp/cmdline' '$tmp/environ'"
vmward jobs cancel "$(grep -oE 'j[0-9]+' "$tmp/job")"
ok "nothing is left of it" nothing_left

# ---- refused ----

printf 'x' >"$tmp/open"
chmod 644 "$tmp/open"
: >"$tmp/empty"
printf '\n' >"$tmp/line"
printf 'a\0b' >"$tmp/nul"
printf '\377' >"$tmp/odd"
head -c 1025 /dev/zero | tr '\0' x >"$tmp/long"
mkfifo "$tmp/fifo"
while IFS='|' read -r want text words; do
	[ -n "$want" ] || continue
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses "$want" "$text" $words
done <<'EOS'
7|chmod 600|create x.qcow2 1M --secret-file open
1|1 to 1024 bytes|create x.qcow2 1M --secret-file empty
1|1 to 1024 bytes|create x.qcow2 1M --secret-file line
1|1 to 1024 bytes|create x.qcow2 1M --secret-file nul
1|1 to 1024 bytes|create x.qcow2 1M --secret-file odd
1|1 to 1024 bytes|create x.qcow2 1M --secret-file long
1|is no file|create x.qcow2 1M --secret-file fifo
1|is no file|create x.qcow2 1M --secret-file .
4|No such file|create x.qcow2 1M --secret-file none
2|only a qcow2 image|create x.raw 1M --secret-file key
2|only a qcow2 image|convert plain.raw x.vmdk --new-secret-file key
7|is encrypted: --secret-file|check safe.qcow2
7|is encrypted: --secret-file|resize safe.qcow2 16M
7|is encrypted: --secret-file|convert safe.qcow2 x.raw
7|is encrypted: --secret-file|map safe.qcow2
7|is encrypted: --secret-file|compare safe.qcow2 plain.raw
7|is encrypted: --secret-file|clone safe.qcow2 x.qcow2
7|is encrypted: --secret-file|create x.qcow2 --base safe.qcow2
2|takes no --secret-file|check plain.raw --secret-file key
2|takes no --secret-file|convert plain.raw x.qcow2 --secret-file key
EOS
ok "refused: another secret" refuses 1 'cannot unlock' \
	convert "$images/a,b.qcow2" x.raw --secret-file other
plan
