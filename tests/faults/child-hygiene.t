#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# C-16: vmwardd is started with what strange parents leave behind: open
# descriptors, signals blocked and ignored, groups, limits, an environment, no
# standard descriptors.  A QEMU of its has each time what it has when all was
# well, and its end is seen with its true status.
# shellcheck source=tests/live/lib.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/lib.sh"
[ "$(id -u)" = 0 ] || skip_all "strange parents are root's"

# ---- what a process has: looks PID, by a program so that any parent can ----

cat >"$tmp/looks" <<'EOS'
#!/usr/bin/perl
my $dir = "/proc/$ARGV[0]";
sub slurp { local (@ARGV, $/) = ("$dir/$_[0]"); <> }
my %kinds;
for (glob "$dir/fd/*") {
	my $to = readlink;
	$to =~ s/:\[\d+\]|:\d+$//; # an inode is another one each time
	$to =~ s/\d+/N/g;
	$kinds{$to}++;
}
print "fd $_ $kinds{$_}\n" for sort keys %kinds;
my $status = slurp 'status';
print "$1\n" while $status =~ /^((?:SigBlk|SigIgn|Groups|Cap\w+|NoNewPrivs|Seccomp|Umask):.*)/mg;
print "env ", join(' ', sort map { /^([^=]*)/ } split /\0/, slurp 'environ'), "\n";
print "oom ", slurp 'oom_score_adj';
print "cwd ", readlink "$dir/cwd", "\n";
my ($pid, $group, $sid) = (split ' ', slurp('stat') =~ s/\(.*\) //r)[0, 3, 4];
print "$_->[0] ", $pid == $_->[1] ? 'its own' : 'of another', "\n"
	for ['group', $group], ['session', $sid];
print slurp 'limits';
EOS
cat >"$tmp/proves" <<EOS
#!/usr/bin/perl
# no shell: that would put the mask of signals right
if (!fork) {
	open STDOUT, '>', "$tmp/proof";
	exec 'perl', "$tmp/looks", getppid;
}
wait;
exec "$BUILD/vmwardd", @ARGV;
EOS
cat >"$tmp/odd" <<'EOS'
#!/usr/bin/perl
use POSIX;
my ($how, @command) = @ARGV;
my $all = POSIX::SigSet->new;
$^F = 4096;
sub fill { my $path = shift; map { my $fd = POSIX::open($path, O_RDONLY); POSIX::dup2($fd, 30 + $_) } 0 .. 49 }
sub close_fds { POSIX::close($_) for @_ }
my %do = (
	files => sub { fill('/etc/passwd') },
	dirs => sub { fill('/') },
	blocked => sub { $all->fillset; sigprocmask(SIG_BLOCK, $all) },
	ignored => sub { $SIG{$_} = 'IGNORE' for qw(CHLD PIPE HUP INT QUIT USR1 USR2 ALRM TSTP TTOU) },
	'term-ignored' => sub { $SIG{TERM} = 'IGNORE' },
	env => sub { $ENV{"ODD_$_"} = 'x' x 100 for 1 .. 500; $ENV{LD_LIBRARY_PATH} = '/nowhere'; $ENV{QEMU_AUDIO_DRV} = 'wav' },
	'env-none' => sub { my $path = $ENV{PATH}; %ENV = (PATH => $path) },
	umask => sub { umask 0 },
	'umask-all' => sub { umask 0777 },
	'no-stdin' => sub { close_fds(0) },
	'no-stdout' => sub { close_fds(1) },
	'no-stderr' => sub { close_fds(2) },
	'no-standard' => sub { close_fds(0, 1, 2) },
	'oom-low' => sub { open my $o, '>', '/proc/self/oom_score_adj'; syswrite $o, '-900' },
	'oom-high' => sub { open my $o, '>', '/proc/self/oom_score_adj'; syswrite $o, '500' },
	'cwd-gone' => sub { mkdir "$ENV{ODD_TMP}/gone"; chdir "$ENV{ODD_TMP}/gone"; rmdir "$ENV{ODD_TMP}/gone" },
	group => sub { setpgid(0, 0) },
	well => sub {},
);
($do{$how} // die "odd: $how\n")->();
exec @command;
EOS

# strange HOW: the supervisor, started that way
strange()
{
	case $1 in
	core) prefix='prlimit --core=unlimited' ;;
	files-few) prefix='prlimit --nofile=512:512' ;;
	groups) prefix='setpriv --groups 1,2,3,100' ;;
	caps) prefix='setpriv --inh-caps +net_raw,+sys_ptrace --ambient-caps +net_raw,+sys_ptrace' ;;
	locked) prefix='prlimit --memlock=65536:65536' ;;
	stack) prefix='prlimit --stack=1048576:8388608' ;;
	*) prefix="perl $tmp/odd $1" ;;
	esac
	printf '#!/bin/sh\nexec %s perl "%s/proves" "$@"\n' "$prefix" "$tmp" \
		>"$tmp/vmwardd-odd"
	chmod 755 "$tmp/vmwardd-odd"
	vmwardd=$tmp/vmwardd-odd
	ODD_TMP=$tmp
	export ODD_TMP
	up
}
hows='files dirs blocked ignored term-ignored env env-none umask umask-all
	no-stdin no-stdout no-stderr no-standard oom-low oom-high cwd-gone
	group core files-few groups caps locked stack'

(echo -900 >/proc/self/oom_score_adj) 2>/dev/null ||
	hows=$(echo "$hows" | sed 's/oom-low//')

guest odd tcg <<'EOS'
[restart]
policy = no
EOS
points=0 injected=0 survived=0 leaked=0 lost=0
bad() { echo "# $how: $*"; }

# it is killed: that is seen, and told as it was
dies()
{
	pid=$(pid_of odd)
	kill -SEGV "$pid"
	becomes odd stopped && is "$(of odd detail)" 11
}
looks_at() # PID FILE
{
	perl "$tmp/looks" "$1" >"$2"
}
try() # HOW
{
	how=$1
	strange "$how"
	starts odd --wait=ready || bad "$(cat "$tmp/err")"
	looks_at "$(pid_of odd)" "$tmp/has"
	# the limits of a parent that say how much, not what
	sed -i '/^Max open files/d; /^Max locked/d; /^Max stack/d' "$tmp/has"
	dies >"$tmp/died" || {
		lost=$((lost + 1))
		bad "its end: $(cat "$tmp/died")"
	}
	kill -0 "$vmwardd_pid" && survived=$((survived + 1))
	# some parents leave it deaf to SIGTERM: it must not stay so
	leave || bad "it left with $status"
}

try well
cp "$tmp/has" "$tmp/well"
cp "$tmp/proof" "$tmp/proof.well"
survived=0 lost=0
for how in $hows; do
	points=$((points + 1))
	try "$how"
	if cmp -s "$tmp/proof" "$tmp/proof.well"; then
		bad "the supervisor was started as ever"
	else
		injected=$((injected + 1))
	fi
	diff "$tmp/well" "$tmp/has" >"$tmp/differs" || {
		leaked=$((leaked + 1))
		bad "$(cat "$tmp/differs")"
	}
done
line="case=C-16-child-hygiene points=$points injected=$injected \
survived=$survived acked_lost=$lost double=0 vm_killed=0 leaked=$leaked \
max_recover_ms=0"
echo "# $line"
[ -z "${FAULTS_OUT-}" ] || echo "$line" >>"$FAULTS_OUT"
ok "each parent was strange" is "$injected" "$points"
ok "the supervisor lived with it" is "$survived" "$points"
ok "a QEMU has what it has without" is "$leaked" 0
ok "its end was seen as it was" is "$lost" 0
ok "with nothing of its own: no descriptor of ours" sh -c \
	"! grep -q 'passwd\|control.sock' '$tmp/well'"
up
ok "nothing is left" nothing_left
leave
plan
