#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A nic with user = passt: one process beside its QEMU, which gets the guest's
# frames and goes with it.  The passt here is a small script that looks at
# what it is given; tests/inside has the real one.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ -e "$BUILD/guest/vmlinuz" ] || skip_all "no Linux guest could be built here"
cp "$BUILD/guest/vmlinuz" "$BUILD/guest/initrd.gz" "$tmp/"
patience=300 # a Linux guest under TCG on a busy host
mkdir "$tmp/bin"
cat >"$tmp/passt.pl" <<'EOS'
use strict;
my ($dir, @words) = @ARGV;
sub note { open my $f, '>>', "$dir/$_[0]" or die; print $f "$_[1]\n"; }
note('words', join ' ', @words);
note('pid', $$);
open my $qemu, '+<&=', 3 or die "fd 3: $!";
binmode $qemu;
my ($size, $frame);
while (read $qemu, $size, 4) { # QEMU's stream: a length, then the frame
	read $qemu, $frame, unpack 'N', $size or last;
	note('frames', unpack 'H4', substr $frame, 12);
}
note('ended', 'yes');
EOS
cat >"$tmp/bin/passt" <<EOS
#!/bin/sh
exec perl "$tmp/passt.pl" "$tmp" "\$@"
EOS
guest_of() # NAME
{
	cat >"$vms/$1.ini" <<-EOT
	[vm]
	memory = 128M
	accel = tcg
	kernel = $tmp/vmlinuz
	initrd = $tmp/initrd.gz
	cmdline = console=ttyS0 quiet panic=-1
	[net.out]
	user = passt
	forward = 8080-8081:80, udp:127.0.0.2:5353:53
	[net.slow]
	user = yes
	EOT
}
guest_of p
if ! command -v passt >/dev/null; then
	up
	fails_with 1 start p
	ok "without passt it says what to install" complains \
		"net 'out': passt is not installed: apt-get install passt"
	leave
fi
PATH=$tmp/bin:$PATH
chmod +x "$tmp/bin/passt"
up
ok "a guest with passt" starts p
has_frame() { grep -q '^0800$' "$tmp/frames"; }
ok "its frames reach passt" eventually has_frame
ok "which got its end of the line and the forwards" is "$(cat "$tmp/words")" \
	"-f -q -F 3 -t 127.0.0.1/8080-8081:80-81 -u 127.0.0.2/5353-5353:53-53"
fails_with 1 nic attach p more user=passt
ok "one cannot be plugged in" complains \
	"passt comes with a start only: say user=yes"
passt=$(cat "$tmp/pid")
started="$started $passt"
down
up
ok "after kill -9 of vmwardd it is the same one" kill -0 "$passt"
same() { [ "$(wc -l <"$tmp/pid")" = 1 ]; }
ok "and no other" same
ok "the guest goes on" obeys p
does kill p
ok "with QEMU it goes" is_gone "$passt"
ok "by itself" grep -q yes "$tmp/ended"
ok "nothing is left" nothing_left
starts p
second=$(tail -n 1 "$tmp/pid")
kill -9 "$second"
warned() { grep -q "nic out: passt ended by signal 9: it carries nothing" \
	"$tmp/sup.log"; }
ok "one that dies is told" eventually warned
ok "the guest goes on without it" obeys p
shows() { does "$@" && says "broken: passt is gone"; }
ok "status shows the nic as broken, with the remedy" shows status p
ok "so does nic list" shows nic list p
does restart p
ok "a restart gives it another one" eventually test \
	"$(wc -l <"$tmp/pid")" -gt 2
well() { does status p && ! says broken; }
ok "and all is well" eventually well
does kill p
leave
plan
