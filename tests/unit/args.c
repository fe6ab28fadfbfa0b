/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client's grammar: lines of words into calls. */
#include "ctl/args.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctl/lookup.h"
#include "tests/unit/tap.h"

#define WORDS_MAX 24

/* Splits at blanks and parses; the wire as JSON, or "ERROR: text". */
static char *parse(struct call *call, const char *line)
{
	static char words[256];
	static char *argv[WORDS_MAX];
	struct err err = ERR_INIT;
	int argc = 0;
	char *rest = words;

	snprintf(words, sizeof(words), "vmward %s", line);
	while (*rest && argc < WORDS_MAX - 1) {
		argv[argc++] = rest;
		rest += strcspn(rest, " ");
		if (*rest)
			*rest++ = '\0';
	}
	argv[argc] = NULL;
	memset(call, 0, sizeof(*call));
	args_init(&call->opt);
	call->opt.tty_in = false;
	if (args_parse(call, argc, argv, &err) < 0)
		return xasprintf("%s: %s", err_code_name(err.code), err.text);
	if (!call->wire)
		return xstrdup("");
	return json_dumps(call->wire, JSON_COMPACT | JSON_SORT_KEYS);
}

static void gives(const char *line, const char *want)
{
	struct call call;
	AUTO_FREE char *got = parse(&call, line);

	is_str(got, want, "%s", line);
	call_fini(&call);
}

/* An error whose text holds something. */
static void fails(const char *line, const char *part)
{
	struct call call;
	AUTO_FREE char *got = parse(&call, line);

	ok(str_starts(got, "USAGE: ") && strstr(got, part), "%s: %s", line,
		got);
	call_fini(&call);
}

static void test_values(void)
{
	gives("list", "{}");
	gives("list a b* @c --running",
		"{\"patterns\":[\"a\",\"b*\",\"@c\"],\"running\":true}");
	gives("start web", "{}");
	gives("start web --wait", "{\"wait\":\"ready\"}");
	gives("start web --wait=ip --timeout 1h",
		"{\"timeout\":3600,\"wait\":\"ip\"}");
	gives("start web --timeout=250ms", "{\"timeout\":0.25}");
	gives("--timeout 5s start web", "{\"timeout\":5}");
	gives("--timeout 5s start web --timeout 6s", "{\"timeout\":6}");
	gives("--no-block start web", "{\"job\":true}");
	gives("-n stop web", "{\"dry-run\":true}");
	gives("-n list", "{}");
	gives("log web -n 5", "{\"lines\":5}");
	gives("log web -n5 -f --since 1min", "{\"lines\":5,\"since\":60}");
	gives("log web -fn5", "{\"lines\":5}");
	gives("wait web ready", "{\"state\":\"ready\"}");
	gives("set web vm.memory=2G x.y=a=b",
		"{\"pairs\":{\"vm.memory\":\"2G\",\"x.y\":\"a=b\"}}");
	gives("unset web vm.memory", "{\"keys\":[\"vm.memory\"]}");
	gives("disk attach web data size=1G --runtime",
		"{\"disk\":\"data\",\"pairs\":{\"size\":\"1G\"},"
		"\"runtime\":true}");
	gives("qmp web x a=1 b=yes c=\"q\"",
		"{\"arguments\":{\"a\":1,\"b\":\"yes\",\"c\":\"q\"},"
		"\"execute\":\"x\"}");
	gives("qmp web x {\"a\":[1]}",
		"{\"arguments\":{\"a\":[1]},\"execute\":\"x\"}");
	gives("jobs wait j3", "{\"job\":\"j3\"}");
	gives("--no-block jobs wait j3", "{\"job\":\"j3\"}");
	gives("start -- --odd", "{}");
}

static void test_refusals(void)
{
	fails("", "which verb?");
	fails("start", "start: which VM?");
	fails("frobnicate", "unknown verb 'frobnicate'");
	fails("strat web", "did you mean start?");
	fails("domiffadr web", "unknown verb");
	fails("star web", "unknown verb 'star'");
	fails("disk",
		"which of: disk list, disk attach, disk detach, disk resize, "
		"disk throttle, disk accept?");
	fails("destroy web", "vmward kill web");
	fails("start web --pausd", "did you mean --paused?");
	fails("start web --paused=yes", "takes no value");
	fails("start web --timeout", "--timeout needs a value");
	fails("start web --timeout 90", "--timeout: 90");
	fails("start web --wait=never", "not one of ready|running|agent|ip");
	fails("start web -f", "unknown option -f");
	fails("log web -n x", "lines: x");
	fails("log a b", "'b' is one word too many");
	fails("wait web", "state is missing");
	fails("set web memory", "not KEY=VALUE");
	fails("set web a.b=1 a.b=2", "a.b is given twice");
	fails("list --all --nope", "unknown option --nope");
	fails("wait web ready --all", "unknown option --all");
	fails("--color green list", "'green' is not one of");
	fails("completion csh", "not one of bash|zsh|fish");
	fails("-n qmp web x", "cannot be tried by --dry-run");
	fails("-f /dir/ status", "not the file of a VM");
}

static void test_globals(void)
{
	struct call call;

	free(parse(&call, "--json -qy --root /r -H a,b list --progress plain"));
	ok(call.opt.json && call.opt.quiet && call.opt.yes, "flags");
	is_str(call.opt.root, "/r", "a value");
	is_str(call.opt.hosts, "a,b", "hosts");
	is_int(call.opt.progress, PROGRESS_PLAIN, "behind the verb");
	call_fini(&call);
	free(parse(&call, "start --help"));
	ok(call.opt.help && call.verb, "--help needs no name");
	call_fini(&call);
	setenv("VMWARD_SCOPE", "user", 1);
	setenv("NO_COLOR", "1", 1);
	free(parse(&call, "list"));
	ok(call.opt.user, "VMWARD_SCOPE");
	is_int(call.opt.color, COLOR_NEVER, "NO_COLOR");
	call_fini(&call);
	unsetenv("VMWARD_SCOPE");
	unsetenv("NO_COLOR");
}

static void test_own_name(void)
{
	struct call call;

	free(parse(&call, "-f /d/web.ini status"));
	is_str(call.names ? call.names[0] : NULL, "web", "-f: no name");
	call_fini(&call);
	free(parse(&call, "-f /d/web.ini wait ready"));
	is_str(call.names ? call.names[0] : NULL, "web", "-f: only the state");
	call_fini(&call);
	free(parse(&call, "-f /d/web.ini wait web ready"));
	is_str(call_value(&call, "state"), "ready", "-f: both");
	call_fini(&call);
}

static void test_prefixes(void)
{
	const char *words[2] = { "resu", NULL };
	const char *nouns[3] = { "disk", "att", NULL };
	struct err err = ERR_INIT;
	int used = 0;
	const struct verb *verb = lookup_verb(words, 1, true, &used, &err);

	is_str(verb ? verb->name : NULL, "resume", "a unique prefix");
	ok(!lookup_verb(words, 1, false, &used, &err), "not for scripts");
	verb = lookup_verb(nouns, 2, true, &used, &err);
	is_str(verb ? verb->name : NULL, "disk attach", "of two words");
	is_int(used, 2, "both are used");
	words[0] = "re";
	ok(!lookup_verb(words, 1, true, &used, &err), "ambiguous");
	ok(strstr(err.text, "restart, reboot, reset, resume"), "%s", err.text);
	words[0] = "reset";
	verb = lookup_verb(words, 1, true, &used, &err);
	is_str(verb ? verb->name : NULL, "reset",
		"a whole name beats longer ones");
}

int main(void)
{
	test_values();
	test_refusals();
	test_globals();
	test_own_name();
	test_prefixes();
	return done();
}
