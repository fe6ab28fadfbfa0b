# SPDX-License-Identifier: GPL-2.0-or-later
# man/NAME.in -> NAME: a line @SECTION@ becomes what the programs say about
# their own tables.  awk -v vmward=PROGRAM -v vmwardd=PROGRAM -f fill.awk

/^@[A-Z]+@$/ {
	name = substr($0, 2, length($0) - 2)
	command = name == "KEYS" ? "'" vmwardd "' --mdoc-keys" \
		: name == "HOSTKEYS" ? "'" vmwardd "' --mdoc-host-keys" \
		: name == "POOLKEYS" ? "'" vmwardd "' --mdoc-pool-keys" \
		: name == "NETKEYS" ? "'" vmwardd "' --mdoc-network-keys" \
		: "'" vmward "' --mdoc " name
	lines = 0
	while ((command | getline line) > 0) {
		print line
		lines++
	}
	if (close(command) != 0 || lines == 0) {
		printf "%s: nothing for @%s@\n", FILENAME, name >"/dev/stderr"
		exit 1
	}
	next
}
{ print }
