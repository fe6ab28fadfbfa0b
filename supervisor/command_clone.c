/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone: what it takes to make a second VM of one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/ini.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/sys.h"
#include "storage/image.h"
#include "supervisor/argv.h"
#include "supervisor/commands.h"
#include "supervisor/committing.h"
#include "supervisor/edits.h"
#include "supervisor/needs.h"
#include "supervisor/op_clone.h"
#include "supervisor/pool.h"
#include "supervisor/snapshots.h"

struct clone {
	struct request *rq;
	struct vm *vm;
	const char *name;   /* of the new one */
	bool has_snapshots; /* inside its images: they cannot move */
	struct op_clone *op;
	bool link;          /* what QEMU has: it all becomes bases */
	struct edits edits; /* the new file */
};

/* ---- the new file ---- */

/* What is the old one's alone. */
static bool is_identity(const struct ini_entry *e)
{
	return (str_eq(e->section, "vm") &&
		       (str_eq(e->key, "uuid") ||
			       str_eq(e->key, "template"))) ||
	       (str_starts(e->section, "net.") && str_eq(e->key, "mac")) ||
	       (str_eq(e->section, "seed") && str_eq(e->key, "hostname"));
}

/* All layers put together say the new file, but for who it is. */
static int copy_keys(struct clone *c, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	struct findings f;
	struct ini ini;
	int rc;

	config_show_lasting(c->vm->spec, &text);
	findings_init(&f);
	ini_init(&ini);
	rc = ini_read_bytes(
		&ini, str_text(&text), text.len, c->vm->name, "/", &f);
	if (rc)
		findings_to_err(&f, err);
	list_each(&ini.entries, it, next) {
		const struct ini_entry *e =
			list_entry(it, struct ini_entry, link);

		if (!e->key || !is_identity(e))
			edits_add(&c->edits, e->section, e->key, e->value);
	}
	ini_fini(&ini);
	findings_fini(&f);
	return rc;
}

/* ---- its disks ---- */

static bool has_snapshots(const struct vm *vm)
{
	struct err ignored = ERR_INIT;
	AUTO_JSON json_t *tree =
		snapshots_read(&vm->env->paths, vm->name, &ignored);

	return !tree || snapshots_latest(tree);
}

/* A name for the image that becomes a base: web-root.base-1a2b3c4d.qcow2. */
static char *base_path(const char *image)
{
	size_t len = strlen(image) - strlen(".qcow2");
	uint32_t random = 0;

	if (sys_random(&random, sizeof(random)) < 0)
		random = (uint32_t)sys_now_us();
	return xasprintf(
		"%.*s.base-%08" PRIx32 ".qcow2", (int)len, image, random);
}

/* What others stand on, or lies elsewhere, keeps its name. */
static bool may_be_base(struct clone *c, const struct spec_disk *disk,
	const char *path, int format)
{
	json_t *users;
	struct needs needs = { 0 };
	bool free;

	if (request_bool(c->rq, "full") || c->has_snapshots ||
		disk->secret_file || format != FORMAT_QCOW2 ||
		!str_ends(path, ".qcow2") ||
		!pool_of_file(&c->vm->env->paths, path))
		return false;
	needs_collect(&needs, request_registry(c->rq), NEED_ABOVE);
	users = needs_of(&needs, path);
	free = json_array_size(users) == 0;
	json_decref(users);
	needs_fini(&needs);
	return free;
}

static void note_steal(struct clone *c, json_t *text)
{
	json_array_append_new(c->op->notes, text);
}

static int must_be_free(const char *path, struct err *err)
{
	struct stat st;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(err, ERR_EXISTS, "'%s' exists already", path);
	return errno == ENOENT ? 0 : err_os(err, "cannot look at '%s'", path);
}

/* QEMU has it open: only that knows what is in it. */
static bool is_live(
	const struct clone *c, const struct spec_disk *disk, const char *path)
{
	const struct vm_spec *running = c->vm->running;
	const struct spec_disk *its =
		running ? spec_disk_of(running, disk->name) : NULL;
	AUTO_FREE char *open =
		its ? argv_disk_path(running, its, c->vm->env->paths.images)
		    : NULL;

	return vm_is_up(c->vm) && open && str_eq(open, path);
}

/* Nobody has it open. */
static int copy_image(struct clone *c, const struct spec_disk *disk,
	const char *from, const char *to, const char *format, struct err *err)
{
	AUTO_FREE char *base = image_backing(from, err);

	if (err->code)
		return -1;
	if (!disk->secret_file)
		op_clone_add_copy(c->op, from, format, to, format);
	else if (!base)
		op_clone_add_verbatim(c->op, from, to, format);
	else
		return err_set(err, ERR_UNSUPPORTED,
			"disk '%s' is encrypted and on top of '%s': flatten it "
			"first, or clone it while it runs",
			disk->name, base);
	if (!request_bool(c->rq, "full") && !disk->secret_file)
		note_steal(c, json_sprintf("disk '%s' is copied: '%s' cannot "
					   "be a base",
				      disk->name, from));
	return 0;
}

/* The image is there: copied, or made the base of both. */
static int take_image(struct clone *c, const struct spec_disk *disk,
	const char *path, struct err *err)
{
	int format = argv_disk_format(disk, path, err);
	AUTO_FREE char *section = xasprintf("disk.%s", disk->name);
	bool linked, live;

	if (format == FORMAT_NONE)
		return -1;
	live = is_live(c, disk, path);
	linked = live ? c->link : may_be_base(c, disk, path, format);
	if (live && format != FORMAT_RAW)
		format = FORMAT_QCOW2;
	AUTO_FREE char *volume = xasprintf(
		"%s-%s.%s", c->name, disk->name, spec_format_names[format]);
	AUTO_FREE char *to = xasprintf("%s/%s",
		disk->pool.dir ? disk->pool.dir : c->vm->env->paths.images,
		volume);
	if (must_be_free(to, err))
		return -1;
	edits_drop(&c->edits, section, "base");
	edits_drop(&c->edits, section, "format");
	edits_drop(&c->edits, section, "image");
	edits_add(&c->edits, section, "image", volume);
	if (linked) {
		AUTO_FREE char *base = base_path(path);

		if (committing_check_moves(&c->vm->env->paths, path, err))
			return -1;
		if (live)
			op_clone_add_link(
				c->op, &(struct live_link_wish){
					       disk->name, path, base, to });
		else
			op_clone_add_overlay(c->op, path, base, to);
		return 0;
	}
	if (live)
		op_clone_add_live(
			c->op, &(struct live_copy_wish){ .disk = disk->name,
				       .path = to,
				       .format = spec_format_names[format],
				       .secret_file = disk->secret_file });
	else
		return copy_image(
			c, disk, path, to, spec_format_names[format], err);
	return 0;
}

/*
 * QEMU has some of its disks, and they are as of one instant: all of them
 * become bases, or all are copied.
 */
static bool may_link(struct clone *c)
{
	const struct paths *paths = &c->vm->env->paths;

	if (request_int(c->rq, "rate", 0))
		return false;
	list_each(&c->vm->spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		AUTO_FREE char *path =
			argv_disk_path(c->vm->spec, disk, paths->images);
		struct err err = ERR_INIT;

		if (disk->made || disk->readonly || !is_live(c, disk, path))
			continue;
		if (!may_be_base(c, disk, path,
			    argv_disk_format(disk, path, &err)) ||
			!live_link_may(c->vm, disk->name))
			return false;
	}
	return true;
}

/* What is only read is shared; what is not there yet is made by a start. */
static int take_disk(
	struct clone *c, const struct spec_disk *disk, struct err *err)
{
	AUTO_FREE char *path =
		argv_disk_path(c->vm->spec, disk, c->vm->env->paths.images);
	struct stat st;

	if (disk->made || disk->readonly)
		return 0;
	if (disk->url)
		return err_set(err, ERR_UNSUPPORTED,
			"disk '%s' is '%s': both would write to it", disk->name,
			disk->url);
	if (sys_fstatat(AT_FDCWD, path, &st, 0) == 0)
		return take_image(c, disk, path, err);
	if (errno != ENOENT)
		return err_os(err, "cannot look at '%s'", path);
	if (!disk->image || !*disk->image)
		return 0;
	return err_set(err, ERR_NOT_FOUND, "disk '%s': there is no image '%s'",
		disk->name, path);
}

/* What both would want at once. */
static void note_clashes(struct clone *c)
{
	list_each(&c->vm->spec->nics, it, next) {
		const struct spec_nic *nic =
			list_entry(it, struct spec_nic, link);

		if (nic->forward.n > 0)
			note_steal(
				c, json_sprintf("both cannot run before it has "
						"other ports: vmward set %s "
						"net.%s.forward=...",
					   c->name, nic->name));
	}
	if (c->op->live && !request_bool(c->rq, "full") &&
		!request_int(c->rq, "rate", 0))
		note_steal(
			c, json_string("all its disks are copied: one of them "
				       "cannot be a base"));
	if (vm_is_up(c->vm))
		note_steal(
			c, json_sprintf("its disks are as those of %s at one "
					"instant, as after a power cut",
				   c->vm->name));
	if (!c->vm->spec->seed.written)
		note_steal(
			c, json_sprintf("without [seed] its guest takes itself "
					"for %s",
				   c->vm->name));
}

/* ---- the request ---- */

/* Down, or QEMU can be asked. */
static bool is_at_rest(const struct vm *vm)
{
	return vm->state == VM_STOPPED || vm->state == VM_FAILED ||
	       ((vm->state == VM_RUNNING || vm->state == VM_PAUSED) &&
		       vm->machine.ready && vm->running);
}

/* With good files, not to be thrown away; else answered. */
static bool may_be_cloned(struct request *rq, struct vm *vm)
{
	struct err err = ERR_INIT;

	if (vm->env->file)
		request_failf(rq, ERR_UNSUPPORTED,
			"a supervisor of `vmward run` has one VM");
	else if (!is_at_rest(vm))
		request_failf(rq, ERR_STATE, "it is %s", vm_state_word(vm));
	else if (vm_check_free(vm, &err))
		request_fail(rq, &err);
	else if (vm_check_files(vm, &err))
		request_fail(rq, &err);
	else if (vm->spec->vm.ephemeral || vm->once_ephemeral)
		request_failf(rq, ERR_UNSUPPORTED,
			"[vm] ephemeral = yes: its disks are thrown away");
	else if (env_needs_qemu_img(vm->env, &err))
		request_fail(rq, &err);
	else
		return true;
	return false;
}

static int plan(struct clone *c, struct err *err)
{
	AUTO_FREE char *dropins =
		xasprintf("%s/vms/%s.ini.d", c->vm->env->paths.config, c->name);

	if (copy_keys(c, err) || must_be_free(dropins, err) ||
		committing_check_disks(c->vm, err))
		return -1;
	c->link = vm_is_up(c->vm) && may_link(c);
	list_each(&c->vm->spec->disks, it, next) {
		if (take_disk(c, list_entry(it, struct spec_disk, link), err))
			return -1;
	}
	note_clashes(c);
	if (c->op->live)
		live_copy_limit(
			c->op->live, (uint64_t)request_int(c->rq, "rate", 0));
	c->op->text = config_new_text(
		&c->vm->env->paths, c->name, c->edits.at, c->edits.n, err);
	return c->op->text ? 0 : -1;
}

static void reply_actions(struct clone *c)
{
	json_t *actions = json_array();

	if (c->op->live || c->op->link)
		json_array_append_new(actions,
			json_sprintf("%s what %s has open",
				c->op->live ? "copy" : "make a base of",
				c->vm->name));
	for (size_t i = 0; i < c->op->nsteps; i++) {
		const struct clone_step *step = &c->op->steps[i];

		if (step->old)
			json_array_append_new(actions,
				json_sprintf("rename image '%s' to '%s'",
					step->old, step->base));
		json_array_append_new(
			actions, json_sprintf("%s '%s' as '%s'",
					 step->base ? "overlay" : "copy",
					 step->base ? step->base : step->from,
					 step->path));
	}
	json_array_append_new(actions, json_sprintf("create %s", c->name));
	request_reply_steal(c->rq, json_pack("{s:o}", "actions", actions));
	op_clone_free(c->op);
}

static void on_end(struct job *job, void *arg)
{
	struct op_clone *op = op_clone_of(job);
	struct request *rq = arg;

	if (!command_job_ends(rq, job))
		return;
	request_reply_steal(
		rq, json_pack("{s:b,s:s,s:s,s:s,s:O}", "changed", 1, "name",
			    op->name, "path", op->change.path, "text", op->text,
			    "notes", op->notes));
}

/* Nobody waits for it. */
static void on_end_alone(struct job *job, void *arg)
{
	struct registry *registry = arg;

	vm_job_over(job, op_clone_of(job)->vm);
	registry_catch_up(registry);
}

static void begin(struct request *rq, struct op_clone *op)
{
	struct vm *vm = op->vm;

	if (!request_bool(rq, "job")) {
		rq->vm = vm;
		rq->job = &op->job;
		op_clone_start(op, on_end, rq);
		vm_job_add(vm, rq->job);
		return;
	}
	op_clone_start(op, on_end_alone, request_registry(rq));
	vm_job_add(vm, &op->job);
	request_reply_steal(
		rq, json_pack("{s:o}", "job", json_sprintf("j%u", op->job.id)));
}

void command_clone(struct request *rq)
{
	struct vm *vm = command_vm(rq);
	struct clone c = { .rq = rq, .vm = vm, .edits = EDITS_INIT };
	struct err err = ERR_INIT;

	if (!vm || !may_be_cloned(rq, vm))
		return;
	c.name = request_string(rq, "new");
	c.has_snapshots = has_snapshots(vm);
	c.op = op_clone_new(vm, c.name);
	if (plan(&c, &err)) {
		op_clone_free(c.op);
		request_fail(rq, &err);
	} else if (request_bool(rq, "dry-run")) {
		reply_actions(&c);
	} else {
		begin(rq, c.op);
	}
	edits_fini(&c.edits);
}
