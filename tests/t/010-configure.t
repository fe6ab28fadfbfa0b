#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# configure: options, probes, output, --bootstrap with each package manager.
# Package managers are scripts here that write down how they were called.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp" || exit 1
unset BUILD CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG QEMU QEMU_IMG MAKEFLAGS
n=0

ok() # NAME, then a command that must succeed
{
	n=$((n + 1))
	what=$1
	shift
	if "$@" >"$tmp/said" 2>&1; then
		echo "ok $n - $what"
	else
		sed 's/^/# /' "$tmp/said" "$tmp/out" 2>/dev/null | tail -n 20
		echo "not ok $n - $what"
	fi
}

configure() # ARG...: its output is in out, its status in $status
{
	"${shell:-sh}" "$top/configure" "$@" >out 2>&1
	status=$?
}

has() { grep -qF -- "$1" "$2"; }
hasnt() { ! grep -qF -- "$1" "$2"; }
is() { [ "$1" = "$2" ]; }
succeeded() { [ "$status" -eq 0 ]; }
failed() { [ "$status" -eq 1 ]; }

# ---- a world of its own: every command but package managers ----

mkdir bin plain
cp -s /usr/bin/* /bin/* bin/ 2>/dev/null
[ ! -d /usr/local/bin ] || cp -s /usr/local/bin/* bin/ 2>/dev/null
for tool in apt-get dnf apk pacman xbps-install strace sudo; do
	rm -f "bin/$tool"
done
# what configure looks for and this host may lack
for tool in prove clang clang-format cppcheck shellcheck mandoc socat curl \
	python3 go cpio readelf musl-gcc qemu-system-x86_64 qemu-img nft dnsmasq git pkg-config; do
	[ -e "bin/$tool" ] || ln -s /bin/true "bin/$tool"
done
ln -sf /bin/true bin/clang
rm -f bin/busybox
printf '#!/bin/sh\n' >bin/busybox
chmod +x bin/busybox
PATH=$tmp/bin
export PATH

manager() # NAME: the only one; "installs" strace
{
	rm -f bin/apt-get bin/dnf bin/apk bin/pacman bin/xbps-install bin/strace
	: >calls
	printf '#!/bin/sh\necho "%s $*" >>%s/calls\n%s\n' "$1" "$tmp" \
		"case \$* in *strace*) ln -sf /bin/true $tmp/bin/strace ;; esac" >"bin/$1"
	chmod +x "bin/$1"
}

user() # UID
{
	rm -f bin/id
	printf '#!/bin/sh\necho %s\n' "$1" >bin/id
	chmod +x bin/id
}

# ---- output ----

configure --prefix=/opt/vm --sysconfdir /cfg CFLAGS='-O1 -DX=1'
ok "configures out of tree" succeeded
ok "writes config.mk" has 'bindir = /opt/vm/bin' config.mk
ok "takes an option's value as the next word" has 'sysconfdir = /cfg' config.mk
ok "takes CFLAGS" has 'CFLAGS = -O1 -DX=1' config.mk
ok "writes config.h" has '#define VMWARD_SYSCONFDIR "/cfg"' config.h
ok "writes config.log" has 'int main(void)' config.log
ok "names the missing tool" has 'strace' out
ok "ends with a summary" has 'make && make check' out
ok "links a Makefile" test -e Makefile
ok "has no leftovers" is "$(find . -maxdepth 1 -type f | sort | tr '\n' ' ')" \
	"./config.h ./config.log ./config.mk ./config.status ./out ./said "

touch -d '2001-01-01' config.h
cp config.mk before.mk
./config.status >out 2>&1
ok "config.status does it again" cmp config.mk before.mk
ok "an unchanged config.h stays as old as it was" \
	test -z "$(find config.h -newermt 2002-01-01)"

touch -d '2001-01-01' config.mk
ok "make runs it again when configure is newer" make config.mk
ok "... with the same arguments" cmp config.mk before.mk
ok "... and compiles from another directory" make build/base/err.o
ok "... into it" test -s build/base/err.o

for shell in dash "busybox ash" bash; do
	# busybox of this world is empty: take the real one
	case $shell in
	busybox*) interpreter=$(PATH=/bin:/usr/bin command -v busybox) ;;
	*) interpreter=$(command -v "$shell") ;;
	esac
	if [ -z "$interpreter" ]; then
		n=$((n + 1))
		echo "ok $n - $shell # SKIP not here"
		continue
	fi
	rm -f config.mk
	if [ "$shell" = "busybox ash" ]; then
		"$interpreter" ash "$top/configure" >out 2>&1
	else
		"$interpreter" "$top/configure" >out 2>&1
	fi
	ok "runs under $shell" test -s config.mk
done
shell=''

# ---- arguments ----

configure --build=x86_64-linux-gnu --libdir=/usr/lib --with-systemd \
	--disable-dependency-tracking --includedir=/usr/include
ok "ignores what packagers pass" succeeded
configure --enable-werrro
ok "refuses an unknown option" failed
ok "... and names the nearest" has "did you mean '--enable-werror'" out
configure FOO=bar
ok "refuses an unknown variable" has "unknown variable 'FOO'" out
configure --bindir=bin
ok "refuses a relative directory" has "'bin' is not an absolute path" out
configure word
ok "refuses a stray word" has "unknown argument 'word'" out
configure --disable-static-client
ok "--disable-static-client" has 'CLIENT_LDFLAGS = ' config.mk
ok "... links dynamically" hasnt 'CLIENT_LDFLAGS = -' config.mk
cat >bin/no-static-cc <<'EOS'
#!/bin/sh
case " $* " in *" -static"*) exit 1 ;; esac
exec cc "$@"
EOS
chmod +x bin/no-static-cc
configure CC=no-static-cc
ok "where no static program links the client is dynamic" \
	hasnt 'CLIENT_LDFLAGS = -' config.mk
ok "... and it is said" grep -q '^client  *dynamic$' out
configure CC=no-static-cc --enable-static-client
ok "--enable-static-client insists" failed
ok "... and says what to look for" has 'libjansson.a' out
rm -f bin/no-static-cc
cat >bin/foreign-cc <<'EOS'
#!/bin/sh
for a; do [ "$a" != -ljansson ] || exit 1; done
exec cc "$@"
EOS
chmod +x bin/foreign-cc
configure CC=foreign-cc
ok "libraries of another C library" failed
ok "... are named" has 'missing: jansson' out
ok "... and no package is advised, but to build them" \
	has 'build them with foreign-cc and name their places' out
ok "... only" hasnt '--bootstrap' out
rm -f bin/foreign-cc
configure --enable-werror
ok "--enable-werror" grep -q '^WARN = .*-Werror$' config.mk
configure --enable-sanitize
ok "--enable-sanitize turns ASan and UBSan on" has -fsanitize=address config.mk
ok "... and hardening off" grep -q '^HARDEN_CFLAGS = *$' config.mk
configure --disable-hardening
ok "--disable-hardening" hasnt _FORTIFY_SOURCE config.mk

# ---- what is missing ----

cat >cc-poor <<'END'
#!/bin/sh
for arg; do
	case $arg in -lev | -liniparser) exit 1 ;; esac
done
exec cc "$@"
END
chmod +x cc-poor
configure CC="$tmp/cc-poor"
ok "fails without libraries" failed
ok "... and names all of them at once" has 'missing: libev, iniparser' out
configure CC="$tmp/no-such-compiler"
ok "fails without a compiler" has 'missing: a C compiler' out

# ---- bootstrap ----

user 0
manager apt-get
configure --bootstrap
ok "apt: succeeds" succeeded
ok "apt: updates, then installs what is missing in one call" \
	grep -qE '^apt-get install -y --no-install-recommends .*strace' calls
ok "apt: updates once, first" is "$(sed 1q calls)" "apt-get update"
: >calls
ln -sf /bin/true bin/strace
[ -d /usr/share/gocode/src/github.com/digitalocean/go-qemu ] && configure --bootstrap
ok "apt: nothing missing, no call" test ! -s calls

manager dnf
configure --bootstrap
ok "dnf" has 'dnf install -y strace' calls
manager apk
configure --bootstrap
ok "apk" has 'apk add strace' calls
manager pacman
configure --bootstrap
ok "pacman" has 'pacman -S --needed --noconfirm strace' calls
manager xbps-install
configure --bootstrap
ok "xbps" has 'xbps-install -Sy strace' calls
: >calls
configure --bootstrap
ok "nothing missing, no call" test ! -s calls

user 1000
manager dnf
configure --bootstrap
ok "without root: calls nothing" test ! -s calls
ok "... prints the command to type" has 'sudo dnf install -y strace' out
ok "... and goes on, for nothing required is missing" succeeded
configure --bootstrap CC="$tmp/cc-poor"
ok "without root and a library: the command has it" \
	has 'iniparser-devel libev-devel strace' out
ok "... and it fails" failed

echo "1..$n"
