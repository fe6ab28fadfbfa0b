/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk accept: a person says that a disk is on top of the right images. */
#include "base/mem.h"
#include "base/str.h"
#include "supervisor/chain_open.h"
#include "supervisor/chain_record.h"
#include "supervisor/commands.h"

/* "on '/images/b' (raw)", or that it is on top of nothing. */
static void describe(struct str *out, const struct chain *chain)
{
	for (size_t i = 1; i < chain->n; i++)
		str_addf(out, "%son '%s' (%s)", i > 1 ? " " : "",
			chain->at[i].path, chain->at[i].format);
	if (chain->n == 1)
		str_add(out, "on top of no other image");
}

static void accept_disk(
	struct request *rq, struct vm *vm, const struct spec_disk *disk)
{
	const struct chains_from from = { .spec = vm->spec,
		.paths = &vm->env->paths,
		.trust = true,
		.look = true };
	AUTO_STR struct str text = STR_INIT;
	struct err err = ERR_INIT;
	struct chain chain;

	if (chains_open_disk(&chain, &from, disk, &err)) {
		request_fail(rq, &err);
		return;
	}
	chain_record_put_disk(vm, disk->name, &chain);
	describe(&text, &chain);
	chain_fini(&chain);
	request_reply_steal(rq, command_result(vm, true, str_text(&text)));
}

void command_disk_accept(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	const char *name = request_string(rq, "disk");
	const struct spec_disk *disk =
		vm && vm->spec ? spec_disk_of(vm->spec, name) : NULL;

	if (!vm)
		return;
	if (!disk)
		request_failf(rq, ERR_NOT_FOUND, "it has no disk '%s'", name);
	else if (vm_is_up(vm))
		request_failf(rq, ERR_STATE, "it is %s: stop it first",
			vm_state_word(vm));
	else if (!command_dry_run(rq, vm))
		accept_disk(rq, vm, disk);
}
