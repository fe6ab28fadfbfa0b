/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic list, link, rate: the cable of a nic by QEMU's set_link, what it
 * carries by its port; then in the file.
 */
#include <stdio.h>

#include "base/mem.h"
#include "base/str.h"
#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/nets.h"
#include "supervisor/op.h"
#include "supervisor/report.h"
#include "supervisor/running.h"

void command_nic_list(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm)
		request_reply_steal(
			rq, json_pack("{s:o}", "nics", report_nics(vm)));
}

/* What is asked: a cable, or (without the argument) rates. */
static bool is_link(const struct request *rq)
{
	return *request_string(rq, "link") != '\0';
}

/* A rate that was given, or NULL. */
static const char *rate_of(const struct request *rq, const char *key)
{
	const char *text = request_string(rq, key);

	return *text ? text : NULL;
}

static bool wants_up(const struct request *rq)
{
	return str_eq(request_string(rq, "link"), "up");
}

/* Rates as they are to be: what was not given stays. */
static int rates_of(
	const struct request *rq, struct rate_limits *rates, struct err *err)
{
	const struct vm *vm = rq->vm;
	const struct spec_nic *nic =
		spec_nic_of(vm_spec_now(vm), request_string(rq, "nic"));
	const char *out = rate_of(rq, "rate");
	const char *in = rate_of(rq, "rate-in");

	*rates = nic ? nic->rates : (struct rate_limits){ 0 };
	if ((out && rate_parse(out, &rates->out, err)) ||
		(in && rate_parse(in, &rates->in, err)))
		return -1;
	return 0;
}

/* What runs is as it was asked. */
static void note(struct request *rq)
{
	const char *nic = request_string(rq, "nic");
	struct rate_limits rates;
	struct err err = ERR_INIT;

	if (!rq->vm->running)
		return;
	if (is_link(rq))
		running_set_link(rq->vm, nic, wants_up(rq));
	else if (!rates_of(rq, &rates, &err))
		running_set_rates(rq->vm, nic, &rates, rate_of(rq, "rate"),
			rate_of(rq, "rate-in"));
}

/* ---- the file ---- */

static void write_edits(struct request *rq)
{
	AUTO_FREE char *section =
		xasprintf("net.%s", request_string(rq, "nic"));
	static char keys[][8] = { "link", "rate", "rate-in" };
	struct config_edit edits[NELEMS(keys)];
	size_t n = 0;

	for (size_t i = 0; i < NELEMS(keys); i++)
		if (*request_string(rq, keys[i]))
			edits[n++] = (struct config_edit){ section, keys[i],
				request_string(rq, keys[i]) };
	/* what runs is noted again: as the file says it now */
	change_write(rq, edits, n, is_link(rq) ? "linked" : "limited", note);
}

/* ---- running ---- */

static void on_live_end(struct job *job, void *arg)
{
	struct request *rq = arg;
	const char *nic = request_string(rq, "nic");

	vm_job_over(job, rq->vm);
	rq->job = NULL;
	if (job->err.code) {
		err_wrap(&job->err, "net '%s': ", nic);
		request_fail(rq, &job->err);
		return;
	}
	note(rq);
	write_edits(rq);
}

/* set_link takes the device's id, which start names so, too. */
static void link_live(struct request *rq)
{
	AUTO_FREE char *id = xasprintf("net-%s", request_string(rq, "nic"));

	rq->job = op_qmp_begin_steal(rq->vm, "set_link",
		json_pack("{s:s,s:b}", "name", id, "up", wants_up(rq)),
		on_live_end, rq);
	vm_job_add(rq->vm, rq->job);
}

/* ---- the request ---- */

static bool is_good(struct request *rq, struct vm *vm)
{
	const struct vm_spec *spec = vm_spec_now(vm);
	const char *nic = request_string(rq, "nic");

	if (!spec || !spec_nic_of(spec, nic))
		request_failf(rq, ERR_NOT_FOUND, "it has no nic '%s'", nic);
	else if (change_may_begin(rq, vm))
		return !command_dry_run(rq, vm);
	return false;
}

void command_nic_link(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (!vm || !is_good(rq, vm))
		return;
	rq->vm = vm;
	if (vm_is_up(vm))
		link_live(rq);
	else
		write_edits(rq);
}

/* ---- rates ---- */

static int limit_live(struct request *rq, struct err *err)
{
	const char *nic = request_string(rq, "nic");
	struct rate_limits rates;

	return rates_of(rq, &rates, err) ||
	       (vm_is_up(rq->vm) && nets_rate(rq->vm->name, nic, &rates, err));
}

void command_nic_rate(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct err err = ERR_INIT;

	if (!vm)
		return;
	if (!rate_of(rq, "rate") && !rate_of(rq, "rate-in")) {
		request_failf(rq, ERR_USAGE, "say --rate R, --rate-in R");
		return;
	}
	if (!is_good(rq, vm))
		return;
	rq->vm = vm;
	if (limit_live(rq, &err)) {
		err_wrap(&err, "net '%s': ", request_string(rq, "nic"));
		request_fail(rq, &err);
		return;
	}
	note(rq);
	write_edits(rq);
}
