/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers of values with a grammar of their own.  Pure: text in, field out.
 * Every failure reads "VALUE: what to write"; the caller names the key.
 */
#include "supervisor/spec_value.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <regex.h>

#include "base/atom.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/uuid.h"
#include "net/vlan.h"
#include "storage/remote.h"
#include "supervisor/instances.h"
#include "supervisor/policy.h"
#include "supervisor/spec.h"
#include "supervisor/vsock.h"

/* ---- strings with a rule ---- */

static int keep(const char *text, void *field)
{
	*(const char **)field = atom_get(text);
	return 0;
}

/* Hexadecimal digits: small ones. */
static int keep_low(const char *text, void *field)
{
	char *low = xstrdup(text);

	for (char *at = low; *at; at++)
		if (*at >= 'A' && *at <= 'F')
			*at = (char)(*at - 'A' + 'a');
	*(const char **)field = atom_take(low);
	return 0;
}

void value_string_release(void *field)
{
	atom_set(field, NULL);
}

int value_uuid(const char *text, void *field, struct err *err)
{
	if (text[0] && !uuid_is_valid(text))
		return err_set(err, ERR_CONFIG,
			"%s: say 32 hexadecimal digits as 8-4-4-4-12", text);
	return keep_low(text, field);
}

/* A word that goes into an option of QEMU's: no comma, no blank. */
static bool is_word(const char *text)
{
	return !text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789._+-")];
}

/* The kinds that the device builders know, or a version of one. */
static bool is_machine(const char *text)
{
	return str_eq(text, "q35") || str_eq(text, "pc") ||
	       str_eq(text, "microvm") || str_starts(text, "pc-q35-") ||
	       str_starts(text, "pc-i440fx-");
}

int value_machine(const char *text, void *field, struct err *err)
{
	if (is_word(text) && is_machine(text) && strlen(text) < 32)
		return keep(text, field);
	return err_set(err, ERR_CONFIG,
		"%s: say q35, pc, microvm or a full type as pc-q35-7.2", text);
}

int value_model(const char *text, void *field, struct err *err)
{
	if (is_word(text) && strlen(text) < 32)
		return keep(text, field);
	return err_set(err, ERR_CONFIG,
		"%s: say virtio, e1000e or another model of QEMU's", text);
}

int value_pool(const char *text, void *field, struct err *err)
{
	struct spec_pool *pool = field;

	if (!paths_name_is_valid(text) || strchr(text, '@'))
		return err_set(err, ERR_CONFIG,
			"%s: say a pool's name, the N of pools/N.ini", text);
	pool->name = atom_get(text);
	return 0;
}

void value_pool_release(void *field)
{
	struct spec_pool *pool = field;

	atom_set(&pool->name, NULL);
	atom_set(&pool->dir, NULL);
}

int value_instances(const char *text, void *field, struct err *err)
{
	static struct str good; /* the last one: each instance asks again */
	char **list;

	if (good.len && str_eq(good.data, text))
		return keep(text, field);
	list = instances_expand(text, err);
	if (!list)
		return -1;
	instances_free(list);
	str_cut(&good, 0);
	str_add(&good, text);
	return keep(text, field);
}

int value_url(const char *text, void *field, struct err *err)
{
	return remote_check(text, err) ? -1 : keep(text, field);
}

/* virtio and NVMe carry 20 bytes. */
int value_serial(const char *text, void *field, struct err *err)
{
	if (is_word(text) && strlen(text) <= 20)
		return keep(text, field);
	return err_set(err, ERR_CONFIG,
		"%s: say at most 20 letters, digits, '.', '_' and '-'", text);
}

int value_rate(const char *text, void *field, struct err *err)
{
	return rate_parse(text, field, err);
}

int value_mac(const char *text, void *field, struct err *err)
{
	bool good = strlen(text) == 17;

	if (!text[0])
		return keep(text, field);
	for (size_t i = 0; good && i < 17; i++)
		good = i % 3 == 2 ? text[i] == ':'
				  : strchr("0123456789abcdefABCDEF", text[i]) !=
					    NULL;
	if (!good)
		return err_set(err, ERR_CONFIG,
			"%s: say six pairs of digits, as 52:54:00:12:34:56",
			text);
	/* the lowest bit of the first byte means a group */
	if (strchr("13579bdfBDF", text[1]))
		return err_set(err, ERR_CONFIG,
			"%s: that is a group's address, say an even first "
			"pair, as 52",
			text);
	return keep_low(text, field);
}

/* ---- what follows a crash loop ---- */

int value_crash_loop(const char *text, void *field, struct err *err)
{
	static const char *const words[] = { [CRASH_LOOP_STOP] = "stop",
		[CRASH_LOOP_LAST_GOOD] = "last-good-config",
		[CRASH_LOOP_REVERT] = "revert:",
		[CRASH_LOOP_EXEC] = "exec:" };
	struct spec_crash_loop *out = field;

	for (size_t i = 0; i < NELEMS(words); i++) {
		size_t len = strlen(words[i]);

		if (i < CRASH_LOOP_REVERT
				? !str_eq(text, words[i])
				: !str_starts(text, words[i]) || !text[len])
			continue;
		if (i == CRASH_LOOP_EXEC && text[len] != '/')
			return err_set(err, ERR_CONFIG,
				"%s: say the whole path of the program", text);
		out->kind = (enum spec_crash_loop_kind)i;
		out->text = atom_get(text + len);
		return 0;
	}
	return err_set(err, ERR_CONFIG,
		"%s: say stop, last-good-config, revert:SNAPSHOT or exec:PATH",
		text);
}

void value_crash_loop_release(void *field)
{
	struct spec_crash_loop *at = field;

	atom_drop(at->text);
	*at = (struct spec_crash_loop){ .text = NULL };
}

int value_ip(const char *text, void *field, struct err *err)
{
	unsigned char address[4];

	if (!*text || inet_pton(AF_INET, text, address) == 1)
		return keep(text, field);
	return err_set(err, ERR_CONFIG,
		"%s: say an IPv4 address, as 10.64.0.10", text);
}

int value_user(const char *text, void *field, struct err *err)
{
	struct err why = ERR_INIT;
	bool on = false;

	if (!str_eq(text, "passt") && str_to_bool(text, &on, &why))
		return err_set(
			err, ERR_CONFIG, "%s: say yes, no or passt", text);
	*(int *)field = str_eq(text, "passt") ? USER_PASST
			: on                  ? USER_SLIRP
					      : USER_NO;
	return 0;
}

int value_trunk(const char *text, void *field, struct err *err)
{
	struct vlan_set set = { .n = 0 };

	return vlan_parse(text, &set, err) ? -1 : keep(text, field);
}

int value_link(const char *text, void *field, struct err *err)
{
	if (!str_eq(text, "up") && !str_eq(text, "down"))
		return err_set(err, ERR_CONFIG, "%s: say up or down", text);
	*(bool *)field = str_eq(text, "up");
	return 0;
}

/* ---- numbers ---- */

/* Digits up to `stop`, 1 to max; moves *at behind them. */
static bool read_number(const char **at, char stop, uint64_t max, unsigned *out)
{
	size_t len = strspn(*at, "0123456789");
	AUTO_FREE char *digits = xstrndup(*at, len);
	struct err ignored = ERR_INIT;
	uint64_t n;

	if ((*at)[len] != stop || str_to_u64(digits, &n, &ignored) < 0)
		return false;
	*at += stop ? len + 1 : len;
	*out = (unsigned)n;
	return n >= 1 && n <= max;
}

int value_topology(const char *text, void *field, struct err *err)
{
	struct spec_topology t;
	const char *at = text;

	if (!read_number(&at, ':', 1024, &t.sockets) ||
		!read_number(&at, ':', 1024, &t.cores) ||
		!read_number(&at, '\0', 16, &t.threads))
		return err_set(err, ERR_CONFIG,
			"%s: say SOCKETS:CORES:THREADS, as 1:4:1", text);
	*(struct spec_topology *)field = t;
	return 0;
}

int value_backoff(const char *text, void *field, struct err *err)
{
	const char *hyphen = strchr(text, '-');
	AUTO_FREE char *low =
		xstrndup(text, hyphen ? (size_t)(hyphen - text) : strlen(text));
	struct spec_backoff b;

	if (str_to_ms(low, false, &b.first_ms, err) < 0)
		return -1;
	b.max_ms = b.first_ms;
	if (hyphen && str_to_ms(hyphen + 1, false, &b.max_ms, err) < 0)
		return -1;
	if (b.first_ms < 1 || b.max_ms < b.first_ms)
		return err_set(err, ERR_CONFIG,
			"%s: say a first and a longest delay, as 1s-1min",
			text);
	*(struct spec_backoff *)field = b;
	return 0;
}

int value_burst(const char *text, void *field, struct err *err)
{
	const char *at = text;
	struct spec_burst b;

	if (!read_number(&at, '/', POLICY_HISTORY, &b.count))
		return err_set(err, ERR_CONFIG,
			"%s: say a number up to %d and a time, as 5/10min",
			text, POLICY_HISTORY);
	if (str_to_ms(at, false, &b.window_ms, err) < 0)
		return -1;
	if (b.window_ms < 1)
		return err_set(
			err, ERR_CONFIG, "%s: say a time above zero", text);
	*(struct spec_burst *)field = b;
	return 0;
}

/* ---- ready ---- */

static int ready_tcp(
	const char *port, struct spec_ready_probe *out, struct err *err)
{
	const char *at = port;
	unsigned n;

	if (!read_number(&at, '\0', 65535, &n))
		return err_set(err, ERR_CONFIG,
			"tcp:%s: say tcp:PORT, as tcp:22", port);
	out->port = (uint16_t)n;
	return 0;
}

static int ready_serial(
	const char *text, struct spec_ready_probe *out, struct err *err)
{
	regex_t regex;
	char why[80];

	if (!text[0])
		return err_set(err, ERR_CONFIG,
			"serial:: say serial:REGEX, as serial:login:");
	int rc = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
	if (rc != 0) {
		regerror(rc, &regex, why, sizeof why);
		return err_set(err, ERR_CONFIG,
			"serial:%s: that is no regular expression (%s)", text,
			why);
	}
	regfree(&regex);
	out->text = atom_get(text);
	return 0;
}

static int ready_exec(
	const char *text, struct spec_ready_probe *out, struct err *err)
{
	if (text[0] != '/')
		return err_set(err, ERR_CONFIG,
			"exec:%s: say the program's whole path, as "
			"exec:/usr/local/bin/check web",
			text);
	out->text = atom_get(text);
	return 0;
}

int value_ready(const char *text, void *field, struct err *err)
{
	struct spec_ready_probe probe = { READY_RUNNING, 0, NULL };
	struct err why = ERR_INIT;
	int rc = 0;

	if (str_eq(text, "agent")) {
		probe.kind = READY_AGENT;
	} else if (str_eq(text, "lease")) {
		probe.kind = READY_LEASE;
	} else if (str_eq(text, "notify")) {
		probe.kind = READY_NOTIFY;
		if (vsock_check_host(&why))
			rc = err_set(err, ERR_CONFIG, "notify cannot work: %s",
				why.text);
	} else if (str_starts(text, "tcp:")) {
		probe.kind = READY_TCP;
		rc = ready_tcp(text + 4, &probe, err);
	} else if (str_starts(text, "serial:")) {
		probe.kind = READY_SERIAL;
		rc = ready_serial(text + 7, &probe, err);
	} else if (str_starts(text, "exec:")) {
		probe.kind = READY_EXEC;
		rc = ready_exec(text + 5, &probe, err);
	} else if (!str_eq(text, "running")) {
		rc = err_set(err, ERR_CONFIG,
			"%s: say running, agent, lease, notify, tcp:PORT, "
			"serial:REGEX or exec:PATH ARGS",
			text);
	}
	if (rc == 0)
		*(struct spec_ready_probe *)field = probe;
	return rc;
}

void value_ready_release(void *field)
{
	struct spec_ready_probe *probe = field;

	atom_drop(probe->text);
	*probe = (struct spec_ready_probe){ READY_RUNNING, 0, NULL };
}

/* ---- stop steps ---- */

static int step_of(const char *name)
{
	for (int i = 0; spec_step_names[i]; i++)
		if (str_eq(spec_step_names[i], name))
			return i;
	return -1;
}

static int unknown_step(const char *item, const char *name, struct err *err)
{
	const char *near = str_nearest(name, spec_step_names);

	if (near && !str_eq(near, name))
		return err_set(err, ERR_CONFIG,
			"%s: no such step (did you mean '%s'?)", item, near);
	return err_set(err, ERR_CONFIG,
		"%s: say agent, acpi, ctrl-alt-del, quit or term with a time, "
		"as acpi:20s, or kill",
		item[0] ? item : "(empty)");
}

/* "acpi:20s", or "kill". */
static int add_step(
	const char *item, struct spec_stop_steps *steps, struct err *err)
{
	const char *colon = strchr(item, ':');
	AUTO_FREE char *name =
		xstrndup(item, colon ? (size_t)(colon - item) : strlen(item));
	int step = step_of(name);
	int64_t budget = 0;

	if (step < 0)
		return unknown_step(item, name, err);
	if (steps->n > 0 && steps->at[steps->n - 1].step == STEP_KILL)
		return err_set(
			err, ERR_CONFIG, "%s: nothing comes after kill", item);
	if (steps->n == STOP_STEPS_MAX)
		return err_set(err, ERR_CONFIG, "%s: at most %d steps", item,
			STOP_STEPS_MAX);
	if (step == STEP_KILL && colon)
		return err_set(err, ERR_CONFIG, "%s: kill takes no time", item);
	if (step != STEP_KILL && !colon)
		return err_set(err, ERR_CONFIG, "%s: how long? say %s:20s",
			item, item);
	if (colon && str_to_ms(colon + 1, false, &budget, err) < 0)
		return err_wrap(err, "%s:", name);
	steps->at[steps->n].step = (enum stop_step)step;
	steps->at[steps->n++].budget_ms = budget;
	return 0;
}

int value_steps(const char *text, void *field, struct err *err)
{
	struct spec_stop_steps steps = { .n = 0 };

	for (bool more = true; more;) {
		size_t len = strcspn(text, ",");
		AUTO_STR struct str item = STR_INIT;
		for (size_t i = 0; i < len; i++)
			if (!strchr(" \t", text[i]))
				str_addc(&item, text[i]);
		if (add_step(str_text(&item), &steps, err) < 0)
			return -1;
		more = text[len] == ',';
		text += len + 1;
	}
	*(struct spec_stop_steps *)field = steps;
	return 0;
}

char *value_size_text(uint64_t bytes)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	bytes /= 1024;
	while (bytes % 1024 == 0 && units[unit + 1]) {
		bytes /= 1024;
		unit++;
	}
	return xasprintf("%" PRIu64 "%c", bytes, units[unit]);
}
