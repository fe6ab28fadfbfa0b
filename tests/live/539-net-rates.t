#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Rates of nics, with packets: what a guest receives and sends is no more than
# that, also after a change while it runs and under another supervisor.
# shellcheck source=tests/live/net.sh
. "${TOP:-$(dirname "$0")/../..}/tests/live/net.sh"
linux r <<EOF
rate = 512KiB
rate-in = 4Mbit/s
burst = 64K
EOF
file=$vms/r.ini.d/50-vmward.ini
up
ok "a guest with rates starts" starts r --wait=ready
address=$(address_of r)
answers r 'printf "#!/bin/sh\ncat >/dev/null; echo over\n" >/bin/sink
printf "#!/bin/sh\nhead -c 2097152 /dev/zero\n" >/bin/source
chmod +x /bin/sink /bin/source
nc -ll -p 97 -e /bin/source &
nc -ll -p 99 -e /bin/sink & : all served
' 'all served' >/dev/null
# 2 MiB at half a MiB a second; what it sends has a second's worth at once
gives() # ms that the guest took to receive that
{
	start=$(now_ms)
	head -c 2097152 /dev/zero | timeout 60 socat -t60 - "TCP:$address:99" \
		>"$tmp/got"
	echo $(($(now_ms) - start))
}
takes() # ms that the host took to receive that
{
	start=$(now_ms)
	timeout 60 socat -u "TCP:$address:97" - >"$tmp/got"
	echo $(($(now_ms) - start))
}
whole() { is "$(wc -c <"$tmp/got")" 2097152; }
over() { grep -q over "$tmp/got"; }
serves() { takes >/dev/null && whole && gives >/dev/null && over; }
ok "it sends and receives" eventually serves
slow=$(takes)
ok "it sends 2 MiB" whole
ok "no faster than its rate: $slow ms" test "$slow" -ge 2000
slow_in=$(gives)
ok "nor does it receive faster: $slow_in ms" test "$slow_in" -ge 2000
ok "nic rate: faster while it runs" does nic rate r lan --rate 1Gbit \
	--rate-in no
ok "which the file says" grep -qx 'rate-in = no' "$file"
fast=$(takes)
ok "it sends 2 MiB, whole" whole
ok "that is faster: $fast ms" test "$fast" -lt "$slow"
fast_in=$(gives)
ok "so is what it receives: $fast_in ms" test "$fast_in" -lt "$slow_in"
ok "slower again, for this life only" does nic rate r lan --rate 512KiB --runtime
ok "the file does not say so" grep -qx 'rate = 1Gbit' "$file"
down
up
becomes r running >/dev/null
slow=$(takes)
ok "so it is under another supervisor: $slow ms" test "$slow" -ge 2000
ok "apply goes back to what the file says" does apply r
ok "that is one change" says '1 change done'
ok "nothing differs any more" does drift r
fast=$(takes)
ok "it is faster again: $fast ms" test "$fast" -lt "$slow"
fails_with 2 nic rate r lan
ok "no rate at all" complains 'say --rate R, --rate-in R'
fails_with 1 nic rate r lan --rate 50M
ok "no unit of a rate" complains '50M: say kbit, Mbit or Gbit'
fails_with 4 nic rate r wan --rate 1Gbit
ok "no such nic" complains "it has no nic 'wan'"
does kill r
ok "nothing is left" nothing_left
leave
plan
