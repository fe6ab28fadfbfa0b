# SPDX-License-Identifier: GPL-2.0-or-later
# A strict reader of OpenMetrics text (gauges and counters): prints what is
# wrong and ends with status 1.  Families stand together, TYPE comes first,
# no series twice, counters end with _total and are not negative, UNIT is the
# end of the name, labels are well escaped, # EOF is the last line.
function wrong(what)
{
	print FILENAME ":" FNR ": " what ": " $0
	bad = 1
}

# Cuts labels off the front of `rest`; "" if they are not well formed.
function labels_of(    one, seen, name)
{
	labels = ""
	if (substr(rest, 1, 1) != "{")
		return 1
	rest = substr(rest, 2)
	while (match(rest, /^[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\["\\n])*"/)) {
		one = substr(rest, 1, RLENGTH)
		name = one
		sub(/=.*/, "", name)
		if (index(labels, "," name "="))
			return 0
		labels = labels "," one
		rest = substr(rest, RLENGTH + 1)
		if (substr(rest, 1, 1) != ",")
			break
		rest = substr(rest, 2)
	}
	if (substr(rest, 1, 1) != "}")
		return 0
	rest = substr(rest, 2)
	return 1
}

ended { wrong("text behind # EOF") }
/^# EOF$/ { ended = 1; next }
/^# TYPE / {
	if (NF != 4 || ($4 != "gauge" && $4 != "counter"))
		wrong("bad TYPE")
	if ($3 in type)
		wrong("family twice")
	family = $3
	type[family] = $4
	if (family ~ /_total$/)
		wrong("a family ends with _total")
	next
}
/^# UNIT / {
	if ($3 != family || NF != 4 || substr($3, length($3) - length($4)) != "_" $4)
		wrong("bad UNIT")
	next
}
/^# HELP / {
	if ($3 != family || NF < 4)
		wrong("bad HELP")
	next
}
/^#/ { wrong("unknown comment"); next }
{
	if (!match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) {
		wrong("no name")
		next
	}
	name = substr($0, 1, RLENGTH)
	rest = substr($0, RLENGTH + 1)
	if (name != family (type[family] == "counter" ? "_total" : ""))
		wrong("not of the family " family)
	if (!labels_of())
		wrong("bad labels")
	if (rest !~ /^ -?[0-9]+(\.[0-9]+)?$/)
		wrong("bad value")
	else if (type[family] == "counter" && rest ~ /^ -/)
		wrong("a negative counter")
	if ((name, labels) in series)
		wrong("series twice")
	series[name, labels] = 1
	n++
}
END {
	if (!ended) {
		print FILENAME ": no # EOF"
		bad = 1
	}
	print n + 0 " samples"
	exit bad
}
