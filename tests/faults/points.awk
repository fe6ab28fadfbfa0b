# SPDX-License-Identifier: GPL-2.0-or-later
# A trace of strace to the points where a process can be killed: each call by
# its name and its number, from the first accept on.
{
	name = $0
	sub(/\(.*/, "", name)
	if (name !~ /^[a-z_0-9]+$/)
		next
	count[name]++
	if (name ~ /^accept/)
		seen = 1
	if (seen)
		print name, count[name]
}
