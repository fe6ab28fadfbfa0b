#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-13: names and paths that are meant for something else, in each argument
# that takes one: a path that leads away, an option, a protocol, bytes of a
# terminal.  None is obeyed: no program is given one, nothing outside of our
# directories is made, changed or removed, and no answer has a control byte.
# Where we make files, links of others lie in wait: none is followed.
# shellcheck source=tests/faults/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/faults/lib.sh"
images=$tmp/var/lib/vmward/images
mkdir -p "$images" "$tmp/canary"
echo canary >"$tmp/canary/file"
: >"$tmp/tool.args"
# what qemu-img is given is written down
{
	echo '#!/bin/sh'
	# shellcheck disable=SC2028 # for that shell's printf
	echo "printf '%s\n' \"\$@\" >>'$tmp/tool.args'"
	tail -n +2 "$tmp/bin/qemu-img"
} >"$tmp/bin/tool"
chmod 755 "$tmp/bin/tool"
mv "$tmp/bin/tool" "$tmp/bin/qemu-img"
vm web <<'EOS'
[disk.root]
size = 1M
EOS
vm calm </dev/null
daemon
vmward start calm
pid=$(pid_of calm)
mode_of() { stat -c %a:%u "$1"; }
mode=$(mode_of "$tmp/canary/file")

# "COMMAND<TAB>ARGUMENTS" for each hostile text and each argument
requests()
{
	perl -MJSON::PP -e '
		my ($tmp) = @ARGV;
		my @texts = ("../canary/file", "../../../../../..$tmp/canary/file", "-x",
			"--help", "a,b=c", "a b", "%n%s%x", "a\nb", "a\tb", "\e[31mred\e]0;t\a",
			"x" x 255, "x" x 4000, "json:{\"driver\":\"file\"}", "nbd://127.0.0.1:1/x",
			"fd:3", "/proc/self/mem", "/dev/fdset/1", "\x{430}dmin", "a\x{202e}b", ".", "..",
			"", "a/../../b", "~root", "\$(id)", "`id`", "a;id", "|id", "*", "con\x7f");
		my %takes = (
			"vm-status" => ["vm"], "vm-start" => ["vm"], "vm-create" => ["name"],
			"vm-clone" => ["new", {vm => "web"}], "vm-rename" => ["new", {vm => "web"}],
			"vm-delete" => ["vm"], "vm-console" => ["name", {vm => "calm"}],
			"vm-disk-detach" => ["disk", {vm => "calm"}],
			"vm-snapshot-create" => ["snapshot", {vm => "web"}],
			"vm-show" => ["vm"], "vm-log" => ["vm"], "vm-enable" => ["vm"],
			"image-create" => ["image", {size => "1M"}],
			"image-delete" => ["image"], "image-info" => ["image"],
			"pool-create" => ["pool", {path => "/tmp/x"}], "net-create" => ["net"],
			"net-up" => ["net"], "job-cancel" => ["job"],
		);
		my $json = JSON::PP->new->canonical->utf8;
		for my $command (sort keys %takes) {
			my ($name, $rest) = @{$takes{$command}};
			print "$command\t", $json->encode({%{$rest // {}}, $name => $_}), "\n"
				for grep { $_ ne "" || $command ne "vm-show" } @texts;
		}' "$tmp"
}
# one request; the reply in out
ask_raw() # COMMAND ARGUMENTS
{
	talk "$control" qmp ">{\"execute\":\"$1\",\"arguments\":$2}" '<"'
}
is_refused() { grep -q '^{"error"' "$tmp/out"; }
# JSON escapes all but DEL, which the client does
is_plain() { ! LC_ALL=C grep -q "[$(printf '\001-\010\013\014\016-\037')]" "$tmp/out"; }
says_plain() # ARG...: what the client prints
{
	vmward "$@"
	[ "$status" != 0 ] &&
		! LC_ALL=C grep -q "[$(printf '\001-\010\013-\037\177\233')]" "$tmp/out" "$tmp/err"
}

case_begin C-13-injection
expects "calm up $pid" "web any"
requests >"$tmp/requests"
obeyed=0 raw=0
while IFS=$(printf '\t') read -r command arguments <&7; do
	point "$command $arguments"
	ask_raw "$command" "$arguments"
	struck
	if ! is_refused; then
		obeyed=$((obeyed + 1))
		bad "obeyed: $(tail -n 1 "$tmp/out" | cut -c1-200)"
	fi
	if ! is_plain; then
		raw=$((raw + 1))
		bad "control bytes in the answer"
	fi
	lives && survived=$((survived + 1))
done 7<"$tmp/requests"
survived=$((survived - 1))
look

# links that lie in wait where we make files
for where in "$images/web-root.qcow2" "$run/web" \
	"$tmp/var/lib/vmward/records/web" "$tmp/var/log/vmward/web"; do
	for what in symlink hardlink fifo; do
		point "$what at ${where#"$tmp"}"
		rm -rf "$where"
		case $what in
		symlink) ln -s "$tmp/canary/file" "$where" ;;
		hardlink) ln "$tmp/canary/file" "$where" ;;
		fifo) mkfifo "$where" ;;
		esac
		[ -e "$where" ] && struck
		vmward_limit=20
		vmward start web
		vmward kill -q web
		rm -rf "$where"
		look
	done
done
rm -f "$images"/web-root*
tools=$(grep -c -e '^\.\./' -e '^--help$' -e '^nbd:' -e '^json:' -e '[`$;|]' \
	"$tmp/tool.args")
also="obeyed=$obeyed control_bytes=$raw tool_arguments=$tools"
tell
ok "no hostile text was obeyed" is "$obeyed" 0
ok "none came back to a terminal" is "$raw" 0
del=$(printf 'a\033[31m\177\a')
for words in status "log" "show" "image info"; do
	# shellcheck disable=SC2086 # one word or two
	ok "the client shows none: $words" says_plain $words "$del"
done
ok "no program was given one" is "$tools" 0
ok "what is not ours says what it said" is "$(cat "$tmp/canary/file")" canary
ok "no stranger's file came or went" is "$(find "$tmp/canary" | wc -l)" 2
ok "nor got another mode or owner" is "$(mode_of "$tmp/canary/file")" "$mode"
vmward kill -q calm
daemon_ends TERM
plan
