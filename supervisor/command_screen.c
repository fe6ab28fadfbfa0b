/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screenshot, send-key, type. */
#include <string.h>

#include "base/mem.h"
#include "supervisor/commands.h"
#include "supervisor/keyboard.h"
#include "supervisor/op_screen.h"

#define HOLD_MS  100 /* QEMU's own default */
#define TYPE_MS  20  /* a fast typist */
#define TEXT_MAX 4096

/* The VM, if it has a QEMU to ask; else the request was answered. */
static struct vm *find_vm(struct request *rq)
{
	struct vm *vm = command_vm(rq);

	if (vm && !vm->machine.ready) {
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
		return NULL;
	}
	return vm && !command_dry_run(rq, vm) ? vm : NULL;
}

static void on_end(struct job *job, void *arg)
{
	struct request *rq = arg;

	if (command_ends_well(rq, job))
		request_reply_steal(rq, NULL);
}

void command_screenshot(struct request *rq)
{
	struct vm *vm = find_vm(rq);
	struct err err = ERR_INIT;
	int fd;

	if (!vm)
		return;
	fd = request_take_file(rq, "file", &err);
	if (fd < 0)
		request_fail(rq, &err);
	else
		command_follow(rq, vm,
			op_screenshot_begin(vm, fd, command_end(rq, on_end),
				command_listener(rq, vm)));
}

/* A guest that stands still would get them all at once, later. */
static struct vm *find_awake(struct request *rq)
{
	struct vm *vm = find_vm(rq);

	if (!vm || vm->state != VM_PAUSED)
		return vm;
	request_failf(rq, ERR_STATE, "it is paused: \"vmward resume %s\" first",
		vm->name);
	return NULL;
}

static json_t *chords_of(const json_t *words, struct err *err)
{
	json_t *all = json_array();
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		json_t *keys = keyboard_of_chord(json_string_value(word), err);

		if (!keys) {
			json_decref(all);
			return NULL;
		}
		json_array_append_new(all, keys);
	}
	return all;
}

/* Presses them (stolen), or answers with the error where there are none. */
static void press(struct request *rq, json_t *chords, int64_t hold_ms,
	const struct err *err)
{
	struct vm *vm = chords ? find_awake(rq) : NULL;

	if (!chords)
		request_fail(rq, err);
	else if (vm)
		command_follow(rq, vm,
			op_keys_begin_steal(vm, json_incref(chords), hold_ms,
				command_end(rq, on_end),
				command_listener(rq, vm)));
	json_decref(chords);
}

void command_send_key(struct request *rq)
{
	int64_t hold_ms = request_ms(rq, "hold");
	struct err err = ERR_INIT;

	if (json_object_get(rq->args, "hold") &&
		(hold_ms < 1 || hold_ms > 10000)) {
		request_failf(rq, ERR_USAGE, "--hold is 1ms to 10s");
		return;
	}
	press(rq, chords_of(json_object_get(rq->args, "keys"), &err),
		hold_ms > 0 ? hold_ms : HOLD_MS, &err);
}

void command_type(struct request *rq)
{
	AUTO_FREE char *text = xasprintf("%s%s", request_string(rq, "text"),
		request_bool(rq, "enter") ? "\n" : "");
	struct err err = ERR_INIT;

	if (strlen(text) > TEXT_MAX) {
		request_failf(rq, ERR_USAGE,
			"a text of more than %d characters: use agent push",
			TEXT_MAX);
		return;
	}
	press(rq, keyboard_of_text(text, &err), TYPE_MS, &err);
}
