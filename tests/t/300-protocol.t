#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The control protocol by a plain peer: framing, negotiation, errors in
# QEMU's words, pages, bombs.
# shellcheck source=tests/t/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/t/daemon.sh
. "$TOP/tests/t/daemon.sh"

vm web </dev/null
daemon
version='"execute":"query-version"'
yes='{"return":{"qemu":'
caps='"execute":"qmp_capabilities"'

# ---- framing ----

ok "a request without newline" talk "$control" qmp ">{$version}" "<$yes"
ok "several at once, glued" talk "$control" qmp \
	">{$version,\"id\":1}{$version,\"id\":2}{$version,\"id\":3}" \
	'<"id":1}' '<"id":2}' '<"id":3}'
ok "glued to the negotiation, before the greeting" talk "$control" \
	">{$caps}{$version}" '<{"QMP":' '<{"return":{}}' "<$yes"
ok "split at every byte" talk "$control" qmp \
	"1{$version,\"id\":\"aéb\"}" '<"id":"aéb"}'
ok "newlines, blanks and CRLF between and inside" talk "$control" qmp \
	">\n\r\n  {\n$version\r\n}\r\n\n{$version}\n" "<$yes" "<$yes"
ok "single quotes are QEMU's own extension: answered, goes on" \
	talk "$control" qmp ">{'execute':'query-version'}\n{$version}\n" \
	'<' "?$yes"
ok "ends of lines are CRLF" sh -c \
	"'$BUILD/tests/peer/talk' '$control' qmp >/dev/null"

# ---- negotiation ----

ok "a command before the negotiation" talk "$control" '<QMP' ">{$version}" \
	"<{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"Expecting capabilities negotiation with 'qmp_capabilities'\""
ok "a second negotiation" talk "$control" qmp ">{$caps,\"id\":7}" \
	'<{"error":{"class":"CommandNotFound","desc":"Capabilities negotiation is already complete, command ignored","code":"UNSUPPORTED"},"id":7}'
ok "an unknown capability" talk "$control" '<QMP' \
	">{$caps,\"arguments\":{\"enable\":[\"oob\"]}}" "<'oob'" \
	">{$caps,\"arguments\":{}}" '<{"return":{}}'

# ---- ids ----

for id in null true false 0 -1 1.5 12345678901234 '""' '"a\"b"' '[]' \
	'[1,[2]]' '{}' '{"a":{"b":null}}'; do
	ok "id $id" talk "$control" qmp ">{$version,\"id\":$id}" "<\"id\":$id}"
done
ok "no id, none back" sh -c "'$BUILD/tests/peer/talk' '$control' qmp \
	'>{$version}' '<$yes' | grep -qv '\"id\"'"

# ---- mistakes, in QEMU's words; the connection goes on ----

mistake() # REQUEST ANSWER
{
	ok "$1" talk "$control" qmp ">$1\n" "<$2" ">{$version}" "<$yes"
}
generic='{"error":{"class":"GenericError","desc":"'
mistake '[1,2]' "${generic}QMP input must be a JSON object\""
mistake '"text"' "${generic}QMP input must be a JSON object\""
mistake '{}' "${generic}QMP input lacks member 'execute'\""
mistake '{"execute":1}' "${generic}QMP input member 'execute' must be a string"
mistake '{"execute":"x","bogus":1}' \
	"${generic}QMP input member 'bogus' is unexpected\""
mistake '{"exec-oob":"query-version"}' \
	"${generic}QMP input member 'exec-oob' is unexpected\""
mistake '{"execute":"x","arguments":[]}' \
	"${generic}QMP input member 'arguments' must be an object\""
mistake '{"execute":"no-such"}' \
	'{"error":{"class":"CommandNotFound","desc":"The command no-such has not been found"'
mistake '{"execute":""}' '"class":"CommandNotFound"'
mistake '{"execute":"vm-start"}' "${generic}Parameter 'vm' is missing\""
mistake '{"execute":"vm-start","arguments":{"vm":1}}' \
	"${generic}Invalid parameter type for 'vm', expected: string\""
mistake '{"execute":"vm-start","arguments":{"vm":"web","x":1}}' \
	"${generic}Parameter 'x' is unexpected\""
mistake '{"execute":"vm-start","arguments":{"vm":"web","paused":"yes"}}' \
	"${generic}Invalid parameter type for 'paused', expected: boolean\""
mistake '{"execute":"vm-list","arguments":{"patterns":"web"}}' \
	"${generic}Invalid parameter type for 'patterns', expected: array"
mistake '{"execute":"vm-list","arguments":{"columns":"x"}}' \
	"${generic}Parameter 'columns' is unexpected\""
mistake '{"execute":"vm-start","arguments":{"vm":"nope"}}' \
	'{"error":{"class":"DeviceNotFound","desc":"no VM '"'nope'"
mistake '{"execute":"vm-start","arguments":{"vm":"../../etc"}}' \
	'"class":"DeviceNotFound"'
mistake '{"execute":"vm-wait","arguments":{"vm":"web","state":"odd"}}' \
	"${generic}"
mistake '{"execute":"vm-start","arguments":{"vm":"web","wait":"odd"}}' \
	"${generic}"
mistake '{bad json}' "${generic}JSON parse error, "
mistake '}' "${generic}JSON parse error, "
mistake 'hello' "${generic}JSON parse error, "
mistake '{"execute":"a","execute":"b"}' "${generic}JSON parse error, "
ok "0xFF starts anew, as in QEMU" talk "$control" qmp \
	">{\"a\":\xff{$version}" '<JSON parse error' "<$yes"
mistake '{"execute":"\xc3\x28"}' "${generic}JSON parse error, "
q query-commands
ok "there is a command for each of the table" says '"name":"vm-start"'
q query-schema
ok "the schema is one line below 64 KiB" test "$(wc -c <"$tmp/out")" -lt 65000
for name in $(q query-commands; grep -o '"name":"[^"]*' "$tmp/out" |
	cut -d'"' -f4); do
	mistake "{\"execute\":\"$name\",\"arguments\":{\"no such\":1}}" \
		'{"error":{"class":"'
done

# ---- bombs: closed at the cap, nothing is kept ----

before=$(rss_kib "$daemon_pid")
long=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
ok "1 GiB without newline" talk "$control" qmp "*16777216 $long" eof
ok "1 GiB in a string" talk "$control" qmp '>{"execute":"' \
	"*16777216 $long" eof
ok "a depth bomb" talk "$control" qmp '>{"id":' '*100000 [' eof
ok "a heap bomb" talk "$control" qmp '>{"id":[' '*80000 {},' eof
ok "a key bomb" talk "$control" qmp '>{"a":1' '*40000 ,"a":1' eof
ok "a bomb before the negotiation" talk "$control" '<QMP' '*16777216 [' eof
after=$(rss_kib "$daemon_pid")
echo "# RSS $before KiB -> $after KiB"
ok "memory grew by less than 8 MiB" test "$((after - before))" -lt \
	"$(rss_margin 8192)"
ok "and others are served" q vm-list

# ---- pages ----

i=0
while [ "$i" -lt 200 ]; do
	i=$((i + 1))
	name=$(printf 'n%03d-23456789012345678901234567' "$i")
	printf '[vm]\ndescription = %s%s%s\nx%s%s = 1\n' "$long" "$long" \
		"$long" "$long" "$long" >"$vms/$name.ini"
done
q reload
ok "a reload of 200 broken files is one line below 64 KiB" \
	test "$(awk '{ if (length > n) n = length } END { print n }' \
	"$tmp/out")" -lt 65536
after=
pages=0
longest=0
seen=
while :; do
	q vm-list ${after:+after="$after"}
	size=$(tail -n 1 "$tmp/out" | wc -c)
	[ "$size" -le "$longest" ] || longest=$size
	seen="$seen $(tail -n 1 "$tmp/out" | grep -o '"name":"[^"]*')"
	pages=$((pages + 1))
	after=$(field next)
	[ -n "$after" ] || break
	[ "$pages" -lt 50 ] || break
done
# shellcheck disable=SC2086 # one word a name
count=$(printf '%s\n' $seen | sort -u | wc -l)
echo "# $pages pages, the longest of $longest bytes"
ok "all 201 VMs are listed once" is "$count" 201
ok "in pages below 64 KiB" test "$longest" -lt 65536
q vm-list limit:3
ok "a page can be smaller" is "$(grep -o '"name":' "$tmp/out" | wc -l)" 3

# ---- fields ----

q vm-list limit:2 'fields:["state","name"]'
ok "fields: those members, in that order" says \
	'"vms":[{"state":"invalid","name":"n001-23456789012345678901234567"},{'
ok "and no host" sh -c "! grep -q '\"host\"' '$tmp/out'"
q vm-list limit:1 'fields:["name","uptime","tags"]' rows:true host:true
ok "rows: the values alone" says \
	'"vms":[["n001-23456789012345678901234567",null,[]]]'
ok "and the host when it is asked for" says '"memory_promised":'
q vm-list limit:1 'fields:[]' rows:true
ok "no field" says '"vms":[[]]'
q vm-list limit:1 rows:true
ok "rows of all members" says '"vms":[["n001-23456789012345678901234567","invalid",'
vm odd <<'EOS'
description = one "two" \three ü
EOS
q reload
q vm-status vm=odd 'fields:["description"]'
tail -n 1 "$tmp/out" >"$tmp/dumped"
q vm-list 'patterns:["odd"]' 'fields:["description"]'
ok "text that JSON must escape" says '"one \"two\" \\three ü"'
ok "... is as in a status" is "$(grep -o 'one.*ü"' "$tmp/out")" \
	"$(grep -o 'one.*ü"' "$tmp/dumped")"
rm "$vms/odd.ini"
q reload
q vm-status vm=web 'fields:["state","recorded"]'
ok "of a status" says '"return":{"state":"stopped","recorded":true}'
ok "an unknown field" refused USAGE vm-list 'fields:["nmae"]'
ok "the nearest is named" says "value 'nmae' (did you mean 'name'?)"
ok "a field of status only" refused USAGE vm-list 'fields:["log"]'
ok "a field twice" refused USAGE vm-list 'fields:["name","name"]'
ok "what is no name" refused USAGE vm-list 'fields:[1]'
ok "no array" refused USAGE vm-list fields=name
ok "an unknown field of a status" refused USAGE vm-status vm=web 'fields:["x"]'
q vm-check
ok "a check of all of them is below 64 KiB" \
	test "$(tail -n 1 "$tmp/out" | wc -c)" -lt 65536
daemon_ends TERM
ok "ends by SIGTERM" is "$daemon_status" 0
plan
