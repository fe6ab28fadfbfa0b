#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the client does by itself: exec of vmwardd, edit, other hosts,
# completion, help.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"

# a copy of vmward with a vmwardd beside it that tells how it was called
mkdir bin
cp "$BUILD/vmward" bin/
cat >bin/vmwardd <<'EOS'
#!/bin/sh
echo "vmwardd $*"
exit "${DAEMON_STATUS:-0}"
EOS
chmod +x bin/vmwardd
own() # ARG...: like vmward(), by the copy
{
	timeout 20 "$tmp/bin/vmward" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

own --root /r run ./web.ini --rm --timeout 5s --state /s
ok "run" output_is <<'EOS'
vmwardd --root /r run ./web.ini --rm --timeout 5s --state /s
EOS
own --root /r run ./web.ini --timeout=5s --exec=make --root x --json -q
ok "run --exec: all that follows is the guest's" output_is <<'EOS'
vmwardd --root /r run ./web.ini --timeout=5s --exec make --root x --json -q
EOS
own run ./web.ini --exec
ok "run --exec needs a command" exits 2
own --json check a.ini b.ini
ok "check of files" says 'vmwardd --json check a.ini b.ini'
DAEMON_STATUS=1 own plan ./web.ini --argv
ok "the exit status is vmwardd's" exits 1
own show dir/web.ini --json
ok "global options go in front" says 'vmwardd --json show dir/web.ini'
own doctor
ok "doctor" says 'vmwardd doctor'
own check a.ini web
ok "files and names do not mix" exits 2

# ---- edit ----
mkdir -p etc/vmward/vms
echo '[vm]' >etc/vmward/vms/web.ini
EDITOR='sh -c "echo" x' own --root "$tmp" edit web
ok "edit without a supervisor: vmwardd checks" says "check $tmp/etc/vmward/vms/web.ini"
cat >editor <<'EOS'
#!/bin/sh
echo "edited $*" >>"$2"
EOS
chmod +x editor
supervisor <<EOS
> {"execute": "vm-status", "arguments": {"vm": "web"}}
< {"return": {"name": "web", "state": "running", "config": {"files": ["$tmp/etc/vmward/vms/web.ini"]}}, "id": \$ID}
> {"execute": "vm-check"}
< {"return": {"findings": [{"file": "web.ini", "line": 2, "level": "error", "text": "no key"}]}, "id": \$ID}
EOS
VISUAL="$tmp/editor -x" own --root "$tmp" edit web
ok "edit: \$VISUAL with its options" grep -q "edited -x" etc/vmward/vms/web.ini
ok "edit: mistakes are shown" says 'web.ini:2: no key'
ok "edit: exit 1" exits 1
EDITOR=false own --root "$tmp" edit web
ok "edit: a failed editor" complains 'the editor ended with status 1'
EDITOR=/no/editor own --root "$tmp" edit web
ok "edit: no editor" complains "set \$EDITOR"
EDITOR=true own --root "$tmp" edit nope
ok "edit: no such VM" exits 1

# ---- other hosts ----
cat >bin/ssh <<'EOS'
#!/bin/sh
while [ "$1" != -- ]; do shift; done
host=$2
echo "$host: $3" >>"$SSH_LOG"
case $host:$3 in
dead:*) echo "ssh: no route" >&2; exit 255 ;;
*list*) echo '[{"name": "web", "state": "running", "cpus": 1}]' ;;
*--json*) echo '[{"vm": "web", "state": "running"}]' ;;
*) echo "done"; exit 3 ;;
esac
EOS
chmod +x bin/ssh
SSH_LOG=$tmp/ssh.log
PATH=$tmp/bin:$PATH
export SSH_LOG PATH
own -H alpha,beta list --sort name -o HOST,NAME
ok "list on two hosts" output_is <<'EOS'
HOST   NAME
alpha  web
beta   web
EOS
ok "the hosts were asked for JSON" grep -q "alpha: vmward list --json" ssh.log
own -H alpha list
ok "one host has the column too" says 'HOST   NAME  STATE'
own -H alpha,beta pause "it's"
ok "others are prefixed" says 'alpha: done'
ok "the highest code" exits 3
ok "words are quoted for the shell there" grep -qF "beta: vmward 'pause' 'it'\\''s'" ssh.log
own -H alpha,dead pause web
ok "a dead host is 6" exits 6
ok "with ssh's words" complains 'dead: ssh: no route'
own -H alpha,beta pause web --json
ok "JSON has the host" says '{"host": "alpha", "vm": "web", "state": "running"}'
own -H -oProxyCommand=x list
ok "an option is no host" exits 2
own -H alpha pause web
ok "one host: its exit status" exits 3

# ---- completion, help ----
own completion bash
ok "bash completion is a script" bash -n "$tmp/out"
cat >complete.bash <<'EOS'
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_vmward
printf '%s\n' "${COMPREPLY[@]}" | sort -u
EOS
cp out vmward.bash
completes() # WORDS... : WANT is in the list
{
	bash complete.bash ./vmward.bash "$@" >out 2>err
	grep -qx -- "$WANT" out
}
WANT=restart; ok "verbs are completed" completes vmward re
WANT=detach; ok "second words are completed" completes vmward disk ''
WANT=--wait; ok "options are completed" completes vmward start --w
supervisor <<'EOS'
> {"execute": "vm-list"}
< {"return": {"vms": [{"name": "web", "state": "running", "tags": ["prod"]}]}, "id": $ID}
EOS
VMWARD_ROOT=$tmp
cat >bin/wrap <<EOS
#!/bin/sh
exec "$BUILD/vmward" --root "$VMWARD_ROOT" "\$@"
EOS
chmod +x bin/wrap
mv bin/wrap bin/vmward
WANT=web; ok "names are completed" completes vmward start w
WANT=@prod; ok "tags are completed" completes vmward start @
WANT=convert; ok "of every noun" completes vmward image con
supervisor <<'EOS'
> {"execute": "image-list"}
< {"return": {"images": [{"name": "web-root.qcow2", "format": "qcow2", "size": 1, "used": 1}]}, "id": $ID}
EOS
WANT=web-root.qcow2; ok "volumes are completed" completes vmward image info web
supervisor <<'EOS'
> {"execute": "image-catalogue"}
< {"return": {"images": [{"name": "debian-12", "url": "https://h/d.qcow2", "sha256": null, "format": null, "description": null, "error": null, "cached": false}]}, "id": $ID}
EOS
WANT=debian-12; ok "so is the catalogue" completes vmward image pull deb
vmward completion zsh
ok "zsh completion" says '#compdef vmward'
vmward completion fish
ok "fish completion" says 'complete -c vmward -n __fish_use_subcommand -xa start'
vmward completion csh
ok "another shell is usage" exits 2
for page in $("$BUILD/vmward" completion bash | sed -n "s/^.*local verbs='\(.*\)'/\1/p"); do
	"$BUILD/vmward" help "$page" >/dev/null || echo "$page" >>bad
done
ok "every verb has help" [ ! -e bad ]
vmward help >/dev/null
cp out help.got
if [ "${GOLDEN:-}" = write ]; then cp help.got "$TOP/tests/golden/help.txt"; fi
ok "the help text is the golden one" diff -u "$TOP/tests/golden/help.txt" help.got
vmward start --help
ok "--help behind a verb" says 'vmward start NAME...'
vmward
ok "no verb: exit 2" exits 2
plan
