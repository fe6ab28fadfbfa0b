#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# image pull with a mirror on this host and a server on loopback: what has the
# right sha256 comes in and is kept, what has not leaves nothing.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
"$BUILD/vmwardd" --cage /dev/null - 1048576 10 /bin/true 2>/dev/null ||
	skip_all "this kernel has no Landlock"

mirror="$tmp/a mirror"
cache=$tmp/var/lib/vmward/cache
catalogue=$tmp/etc/vmward/catalogue.ini
mkdir "$mirror"
dd if=/dev/urandom of="$tmp/source.raw" bs=64k count=64 2>/dev/null
qemu-img convert -f raw -O qcow2 "$tmp/source.raw" "$mirror/tiny.qcow2"
sum=$(sha256sum <"$mirror/tiny.qcow2" | cut -c1-64)
url="file://$(echo "$mirror" | sed 's/ /%20/')/tiny.qcow2"

state() { ls -lA "$images" "$cache" 2>/dev/null; }
# refuses STATUS TEXT VERB...: one line that has the text, nothing is changed
refuses()
{
	want=$1 text=$2
	shift 2
	before=$(state)
	vmward image pull "$@"
	exits "$want" && complains "$text" && is "$(wc -l <"$tmp/err")" 1 &&
		is "$(state)" "$before"
}
same() { qemu-img compare -q -f raw -F "$2" "$tmp/source.raw" "$images/$1"; }
cat >"$catalogue" <<EOS
; images of this house
[tiny-1.0]
url = $url
sha256 = $(echo "$sum" | tr a-f A-F)
description = for tests
[wrong]
url = $url
sha256 = $(printf '%064d' 7)
[gone]
url = $url.gone
sha256 = $sum
format = qcow2
[half]
url = $url
[odd]
url = $url
sha256 = $sum
colour = red
EOS

up
ok "by its name in the catalogue" does image pull tiny-1.0
ok "it is named so" test -f "$images/tiny-1.0.qcow2"
ok "the same content" same tiny-1.0.qcow2 qcow2
ok "what was fetched is kept" cmp "$mirror/tiny.qcow2" "$cache/$sum"
ok "for nobody else" is "$(stat -c %a "$cache" "$cache/$sum" | tr '\n' ' ')" \
	"700 600 "
listed() # NAME KEY: what the catalogue says of it
{
	does --json image catalogue >/dev/null
	jq -r --arg n "$1" ".[] | select(.name == \$n) | .$2" "$tmp/out"
}
ok "the catalogue lists it" is "$(listed tiny-1.0 description)" "for tests"
ok "as cached" is "$(listed tiny-1.0 cached)" true
ok "another as not" is "$(listed wrong cached)" false
ok "one with a mistake with that" is "$(listed half error)" \
	"catalogue.ini: [half] needs sha256"
ok "people see that too" does image catalogue
ok "in a table" says "say url, sha256"
mv "$mirror/tiny.qcow2" "$mirror/away"
ok "the second time it comes out of the cache" does image pull "$url" \
	--sha256 "$sum" --name again.raw
ok "the same content again" same again.raw raw
printf x | dd of="$cache/$sum" bs=1 seek=70000 conv=notrunc 2>/dev/null
vmward image pull tiny-1.0 --name spoilt.qcow2
ok "a cache that was spoilt is found out" complains "is not what it should be"
ok "and thrown away" is "$(ls -A "$cache")" ""
ok "with nothing to fetch that is said" refuses 4 "No such file" tiny-1.0 \
	--name x.qcow2
mv "$mirror/away" "$mirror/tiny.qcow2"
ok "then it is fetched again" does image pull tiny-1.0 --name third.qcow2
ok "JSON tells of it" does --json image pull tiny-1.0 --name fourth.qcow2
ok "with its digest" is "$(jq -r '.[0].sha256' "$tmp/out")" "$sum"
rm "$cache/$sum"
while IFS='|' read -r want text words; do
	[ -n "$want" ] || continue
	# shellcheck disable=SC2086 # words
	ok "refused: $words" refuses "$want" "$text" $words
done <<EOS
1|is not what it should be|wrong
4|No such file|gone
1|[half] needs sha256|half
1|say url, sha256, format|odd
4|which has tiny-1.0, wrong|none
1|exists already|tiny-1.0
2|say --sha256|$url
1|64 hexadecimal digits|$url --sha256 abc
2|is in the catalogue|tiny-1.0 --sha256 $sum
1|say https://|ftp://h/x.qcow2 --sha256 $sum
1|no user and no password|https://u:p@h/x.qcow2 --sha256 $sum
2|has no slash|tiny-1.0 --name a/b
1|is no plain file|file:///dev/null --sha256 $sum --format raw --name n.raw
2|--format|https://h/x --sha256 $sum
EOS
ok "refused: a blank" refuses 1 "no blanks" "https://h/a b.raw" --sha256 "$sum"
ok "what is fetched is a stranger's" sh -c "qemu-img create -q -f qcow2 -F raw \
	-b /etc/shadow '$mirror/evil.qcow2'"
evil=$(sha256sum <"$mirror/evil.qcow2" | cut -c1-64)
vmward image pull "${url%tiny.qcow2}evil.qcow2" --sha256 "$evil"
ok "and looked at as one" complains "is on top of another file"
ok "it is no image here" test ! -e "$images/evil.qcow2"
rm -f "$cache/$evil"

# ---- over HTTP, where there is a curl and something that serves ----

serve() # answers one request after the other from $mirror
{
	perl -MIO::Socket::INET -e '
		my ($dir, $file) = @ARGV;
		my $s = IO::Socket::INET->new(Listen => 5,
			LocalAddr => "127.0.0.1") or die;
		open(my $f, ">", "$file.new"); print $f $s->sockport; close $f;
		rename "$file.new", $file;
		while (my $c = $s->accept) {
			my ($path) = (<$c> // "") =~ m{^GET /(\S*)} or next;
			while (<$c>) { last if /^\r?$/ }
			if ($path eq "moved") {
				print $c "HTTP/1.1 302 x\r\nLocation: " .
					"/tiny.qcow2\r\nContent-Length: 0" .
					"\r\nConnection: close\r\n\r\n";
			} elsif ($path eq "away") {
				print $c "HTTP/1.1 302 x\r\nLocation: " .
					"file:///etc/passwd\r\n" .
					"Content-Length: 0\r\n" .
					"Connection: close\r\n\r\n";
			} elsif ($path eq "slow") {
				print $c "HTTP/1.1 200 x\r\nContent-Length: " .
					"1000000\r\n\r\n" . "x" x 500000;
				$c->flush; push @slow, $c; next;
			} elsif (open(my $i, "<", "$dir/$path")) {
				local $/; my $b = <$i>;
				print $c "HTTP/1.1 200 x\r\nContent-Length: " .
					length($b) .
					"\r\nConnection: close\r\n\r\n$b";
			} else {
				print $c "HTTP/1.1 404 x\r\nContent-Length: " .
					"0\r\nConnection: close\r\n\r\n";
			}
			close $c;
		}' "$mirror" "$tmp/port" </dev/null >/dev/null 2>&1 &
	started="$started $!"
	eventually test -s "$tmp/port"
}
on_http()
{
	http=http://127.0.0.1:$(cat "$tmp/port")
	ok "over HTTP" does image pull "$http/tiny.qcow2" --sha256 "$sum" \
		--name http.qcow2
	ok "the same content" same http.qcow2 qcow2
	rm "$cache/$sum"
	ok "a redirection is followed" does image pull "$http/moved" \
		--sha256 "$sum" --format qcow2 --name moved.qcow2
	rm "$cache/$sum"
	ok "but not to a file" refuses 1 "cannot fetch" "$http/away" \
		--sha256 "$sum" --format qcow2
	ok "nothing there" refuses 1 "404" "$http/none.qcow2" --sha256 "$sum"
	"$BUILD/vmward" --root "$tmp" --no-block image pull "$http/slow" \
		--sha256 "$sum" --format qcow2 >"$tmp/job"
	job=$(grep -oE 'j[0-9]+' "$tmp/job")
	half()
	{
		vmward events --since 0 --no-follow --json
		grep '"phase": "fetching"' "$tmp/out" |
			grep -qE '"done": (4[0-9]{5}|500000), "total": 1000000'
	}
	ok "progress tells how much of how much" eventually half
	ok "it is cancelled" does jobs cancel "$job"
	none() { is "$(ls -A "$cache")" ""; }
	ok "and leaves nothing" eventually none
	"$BUILD/vmward" --root "$tmp" --no-block image pull "$http/slow" \
		--sha256 "$sum" --format qcow2 >"$tmp/job"
	some() { [ -n "$(find "$cache" -name '*.tmp.*')" ]; }
	ok "one is under way" eventually some
	down
	up
	ok "a successor sweeps the cache" eventually none
}
if command -v curl >/dev/null && command -v perl >/dev/null && serve; then
	no_proxy=127.0.0.1
	export no_proxy
	leave
	up
	on_http
else
	echo "# no curl or no perl: HTTP is not tried"
fi
ok "nothing is left" nothing_left
plan
