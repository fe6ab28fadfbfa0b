/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net doctor: asks nft for the rules of others, then tells all. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/commands.h"
#include "supervisor/net_doctor.h"

struct op_doctor {
	struct job job;
	struct spawn_tool tool;
	struct str rules; /* of others, as nft says them */
	bool ended;
	json_t *checks;
};

#define NFT_MS    10000
#define RULES_MAX (512U * 1024)

static void on_tool_end(struct spawn_tool *tool)
{
	struct op_doctor *op = container_of(tool, struct op_doctor, tool);

	op->ended = true;
	job_wake(&op->job);
}

/* JSON is one line, which comes in pieces. */
static void on_piece(struct spawn_tool *tool, const char *piece)
{
	struct op_doctor *op = container_of(tool, struct op_doctor, tool);

	if (op->rules.len <= RULES_MAX)
		str_add(&op->rules, piece);
}

/* Without nft that was said already. */
static void start(struct op_doctor *op)
{
	static const char *const argv[] = { "nft", "-j", "list", "ruleset",
		NULL };
	struct err err = ERR_INIT;

	op->tool.on_line = on_piece;
	op->tool.on_end = on_tool_end;
	op->ended = spawn_tool_start(&op->tool, argv, &err) != 0;
}

static enum job_state doctor_run(struct job *job)
{
	struct op_doctor *op = container_of(job, struct op_doctor, job);

	JOB_BEGIN(job);
	start(op);
	JOB_AWAIT(job, op->ended, NFT_MS);
	if (op->tool.exit.known && op->tool.exit.code == 0)
		net_doctor_add_rules(op->checks,
			op->rules.len > RULES_MAX ? NULL
						  : str_text(&op->rules));
	JOB_END(job);
}

static void doctor_cleanup(struct job *job)
{
	struct op_doctor *op = container_of(job, struct op_doctor, job);

	spawn_tool_stop(&op->tool);
	str_fini(&op->rules);
	json_decref(op->checks);
	free(op);
}

static const struct job_kind doctor_kind = { "net-doctor", doctor_run, NULL,
	doctor_cleanup };

static void on_doctor_end(struct job *job, void *arg)
{
	struct op_doctor *op = container_of(job, struct op_doctor, job);

	request_reply_steal(arg, json_pack("{s:O}", "checks", op->checks));
}

void command_net_doctor(struct request *rq)
{
	struct op_doctor *op = NEW(struct op_doctor);

	op->checks =
		net_doctor_look(&registry_env(request_registry(rq))->paths);
	job_start(&op->job, &doctor_kind, "networks", on_doctor_end, rq);
}
