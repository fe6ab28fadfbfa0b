#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The checks of tests/lint find what they are for: each gets a bad sample.
set -u
top=${TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
lint=$top/tests/lint
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp" || exit 1
mkdir base qmp supervisor ctl tests
n=0

# check NAME COMPLAINT AWK-ARGUMENTS: the complaint is in what awk prints,
# and awk fails; an empty complaint: it says nothing and succeeds.
check()
{
	n=$((n + 1))
	name=$1
	complaint=$2
	shift 2
	awk -f "$lint/strip.awk" "$@" >out 2>&1
	status=$?
	if [ -z "$complaint" ]; then
		grep -v '^#' out || [ "$status" -ne 0 ] || {
			echo "ok $n - $name"
			return
		}
	elif [ "$status" -ne 0 ] && grep -qF "$complaint" out; then
		echo "ok $n - $name"
		return
	fi
	sed 's/^/# /' out
	echo "not ok $n - $name"
}

layers() { check "$1" "$2" -f "$lint/layers.awk" base/*.[ch] qmp/*.[ch]; }
jobs_of() { check "$1" "$2" -f "$lint/jobs.awk" supervisor/op.c; }
sizes() { check "$1" "$2" -v gates=max -f "$lint/sizes.awk" base/a.c; }
words() { check "$1" "$2" -f "$lint/words.awk" base/a.c; }

# ---- layers ----

echo '#include "base/b.h"' >base/a.h
echo '#include <stdio.h>' >base/b.h
echo '#include "base/a.h"' >qmp/q.h
layers "layers: a lower header is fine" ''
echo '#include "qmp/q.h"' >base/c.c
layers "layers: base includes qmp" 'base/c.c:1: base must not include qmp/q.h'
echo '#include "b.h"' >base/c.c
layers "layers: an include without its directory" 'with its directory'
echo '#include <iniparser/iniparser.h>' >base/c.c
layers "layers: iniparser in a stranger" 'know iniparser'
echo '#include <jansson.h>' >base/str.c
rm base/c.c
layers "layers: jansson in base/str" 'base/str does without jansson'
rm base/str.c
echo '#include "base/a.h"' >base/b.h
layers "layers: a cycle" 'cycle:'

# ---- jobs ----

cat >supervisor/op.c <<'END'
static enum job_state op_run(struct job *job)
{
	struct op *op = container_of(job, struct op, job);

	JOB_BEGIN(job);
	JOB_AWAIT(job, op->done, 5);
	JOB_END(job);
}
END
jobs_of "jobs: container_of is fine" ''
sed 's/^	JOB_BEGIN.*/	int n;\n&/' supervisor/op.c >x && cp x supervisor/op.c
jobs_of "jobs: a local before the body" 'op.c:5: a local of a job'
sed '/int n;/d; s/^	JOB_AWAIT/	char text[9];\n&/' x >supervisor/op.c
jobs_of "jobs: a local in the body" 'op.c:6: a local in a job body'
sed '/int n;/d; s/^	JOB_AWAIT/	for (size_t i = 0; i < 3; i++)\n&/' x >supervisor/op.c
jobs_of "jobs: a local in a for" 'op.c:6: a local in a job body'
sed '/int n;/d; s/^	JOB_AWAIT/	switch (op->n) {\n	}\n&/' x >supervisor/op.c
jobs_of "jobs: a switch in the body" 'a switch in a job body'

# ---- sizes ----

lines() # COUNT TEXT
{
	awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) print text }'
}
function_of() # SIGNATURE BODY
{
	printf '%s\n{\n%s\n}\n' "$1" "$2" >base/a.c
}
function_of 'int f(void)' "$(lines 78 '	g();')"
sizes "sizes: 80 lines are fine" ''
function_of 'int f(void)' "$(lines 79 '	g();')"
sizes "sizes: 81 lines" 'f has 81 lines'
function_of 'int f(int a, int b, int c, int d, int e, int g)' '	h();'
sizes "sizes: 6 parameters are fine" ''
function_of 'int f(int a, int b, int c, int d,
	int e, int g, void (*h)(int, int))' '	h();'
sizes "sizes: 7 parameters" 'f has 7 parameters'
function_of 'int f(void)' "$(lines 20 '	if (a) b();')"
sizes "sizes: 21 branches" 'f has 21 branches'
function_of 'int f(void)' "$(lines 30 '	p("if (a && b)"); /* if (c) */')"
sizes "sizes: strings and comments are no branches" ''
function_of 'int f(void)' "$(lines 5 '	if (a) {')
$(lines 5 '	}')"
sizes "sizes: 5 levels" 'f has 5 levels of nesting'
lines 601 '/* */' >base/a.c
sizes "sizes: a file of 601 lines" 'the file has 601 lines'
lines 1 "	$(lines 1 '/* seventy-three characters behind a tab that counts for eight columns 81')" >base/a.c
sizes "sizes: 81 columns" 'line of 81 columns'

# ---- words ----

echo '/* TO''DO later */' >base/a.c
words "words: unfinished" 'unfinished'
echo '	if (!strcmp(a, b))' >base/a.c
words "words: strcmp" 'use str_eq'
echo '	n = strtol(a, b, 10);' >base/a.c
words "words: strtol" 'strict parsers'
echo '	p = malloc(3); /* fine: xmalloc */' >base/a.c
words "words: malloc" 'xmalloc family'
echo '	p = xmalloc(3); /* not malloc(3) */' >base/a.c
words "words: xmalloc is fine" ''

# ---- comments ----

cat >base/a.h <<'END'
#ifndef A
struct a {
	int (*call)(int a);
};

/* Does this. */
int f(int a);
int g(int a);
int h(int a); /* does that */
typedef int (*k)(int a);
#endif
END
check "comments: above, in a group, behind" '' -f "$lint/comments.awk" base/a.h
printf '\nint bare(int a);\n' >>base/a.h
check "comments: a bare function" 'a.h:13: no comment' \
	-f "$lint/comments.awk" base/a.h

# ---- calls ----

calls() # NAME COMPLAINT LINES
{
	printf '%s\n' "$3" >symbols
	check "$1" "$2" -v allow=allow -f "$lint/calls.awk" symbols
}
echo 'base/log.o write it is the log' >allow
fine='base/a.o f T 0 0
qmp/q.o f U
qmp/q.o strlen U
base/sys.o openat64 U
ctl/main.o open U
base/log.o write U'
calls "calls: downwards is fine" '' "$fine"
calls "calls: upwards" 'base/b.o calls f of qmp/q.o' 'qmp/q.o f T 0 0
base/b.o f U'
calls "calls: sideways" 'storage/s.o calls f of qmp/q.o' 'qmp/q.o f T 0 0
storage/s.o f U'
calls "calls: past base/sys" 'qmp/q.o calls __read_chk past base/sys' \
	'qmp/q.o __read_chk U'
calls "calls: large files, too" 'calls openat64 past base/sys' \
	'supervisor/s.o openat64 U'
echo "1..$n"
