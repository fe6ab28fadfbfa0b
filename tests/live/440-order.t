#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Order, hooks and incidents with real QEMUs: up when the probe of the one
# before passed, down backwards, told to programs, and an end with its record.
# shellcheck source=tests/live/lib.sh
. "$(dirname "$0")/lib.sh"

# the hook appends "EVENT VM CAUSE"
cat >"$tmp/hook" <<EOS
#!/bin/sh
echo "\$VMWARD_EVENT \$VMWARD_VM \${VMWARD_CAUSE-}" >>"$tmp/told"
EOS
chmod 755 "$tmp/hook"
: >"$tmp/told"
ordered() # NAME KEY=VALUE... of [start]
{
	name=$1
	shift
	{
		for line; do echo "$line"; done
		echo "[hooks]"
		for event in started stopped incident; do
			echo "$event = $tmp/hook"
		done
	} | guest "$name" tcg
}
ordered db
ordered app 'requires = db' 'after = db'
ordered web 'requires = app' 'after = app'

# order_of TEXT: the VMs by the time of the last such line in their logs
order_of()
{
	for name in db app web; do
		sed -n "s/^\([^ ]*\) .*$1.*/\1 $name/p" "$logs/$name/vm.log" |
			tail -n 1
	done | sort | cut -d' ' -f2 | tr '\n' ' '
}
told() { grep -qx -- "$1 *" "$tmp/told"; }

up
ok "the last one is started" starts web --wait=ready
ok "so are those it requires" is "$(state_of db) $(state_of app)" \
	'running running'
ok "each when the one before was ready" is "$(order_of 'info ready')" 'db app web '
ok "in this order" is "$(order_of 'starting -> running')" 'db app web '
for name in db app web; do
	ok "hook: $name has started" eventually told "started $name"
done

# ---- an end that nobody asked for ----

pid=$(pid_of app)
kill -9 "$pid"
ok "killed, it is started again" restarted app "$pid"
ok "hook: an incident, with its cause" eventually told \
	"incident app qemu-signal"
incident=$tmp/var/lib/vmward/incidents/app
recorded() { grep -q '"cont"' "$incident"/*/recorder.txt; }
ok "what QEMU was told is kept" eventually recorded
ok "and what the guest said" grep -rq 'READY app' "$incident"
vmward incident list app
ok "it is listed" says qemu-signal
vmward incident show app
ok "it says why" says 'killed by this signal'
ok "export" does incident export app -o "$tmp/incident.tar"
ok "all of it" sh -c "tar -tf '$tmp/incident.tar' | grep -q recorder.txt"
ok "the others ran on" is "$(state_of db) $(state_of web)" 'running running'

# ---- down ----

ok "the first one is stopped" stops db
ok "so are those that require it" is "$(state_of app) $(state_of web)" \
	'stopped stopped'
ok "backwards" is "$(order_of 'stopping -> stopped')" 'web app db '
for name in db app web; do
	ok "hook: $name has stopped" eventually told "stopped $name admin-stop"
done
ok "nothing is left" nothing_left
leave
plan
