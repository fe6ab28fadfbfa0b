/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's variables and the TPM's state as one text; see
 * nonvolatile.h.  What a TPM holds is in a directory of the VM's own user:
 * nothing in it leads elsewhere, neither when it is read nor when it is
 * written.
 */
#include "supervisor/nonvolatile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base64.h"
#include "base/durable.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/member.h"
#include "base/str.h"
#include "base/sys.h"
#include "supervisor/firmware.h"
#include "supervisor/tpm.h"

enum {
	PART_MAX = 4 * 1024 * 1024,  /* one file of it */
	TEXT_MAX = 32 * 1024 * 1024, /* all of it */
	FILES_MAX = 16               /* of a TPM; swtpm makes three */
};

/* ---- as it is now ---- */

/* Its bytes; NULL with err, or without: there is no such file. */
static json_t *read_part(int dir, const char *path, struct err *err)
{
	AUTO_CLOSE int fd = sys_openat(
		dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	AUTO_STR struct str bytes = STR_INIT;
	AUTO_STR struct str text = STR_INIT;

	if (fd < 0) {
		if (errno != ENOENT)
			err_os(err, "cannot open '%s'", path);
		return NULL;
	}
	if (fd_read_open(fd, path, PART_MAX, &bytes, err) || bytes.len == 0)
		return NULL;
	base64_encode(bytes.data, bytes.len, &text);
	return json_stringn(text.data, text.len);
}

struct listing {
	int dir;
	json_t *files;
	struct err *err;
};

/* Not swtpm's lock, and not what it was about to rename. */
static void read_file(void *arg, const char *name)
{
	struct listing *l = arg;
	json_t *part = NULL;

	if (*name == '.' || str_starts(name, "TMP") || l->err->code)
		return;
	if (json_object_size(l->files) == FILES_MAX)
		err_set(l->err, ERR_LIMIT, "it has more than %d files",
			FILES_MAX);
	else
		part = read_part(l->dir, name, l->err);
	if (part)
		json_object_set_new(l->files, name, part);
}

/* NULL with err, or without: it holds nothing yet. */
static json_t *read_tpm(const char *path, struct err *err)
{
	AUTO_CLOSE int dir = sys_openat(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	AUTO_JSON json_t *files = json_object();
	struct listing l = { dir, files, err };

	if (dir < 0) {
		if (errno != ENOENT)
			err_os(err, "cannot open '%s'", path);
		return NULL;
	}
	sys_listdir(AT_FDCWD, path, read_file, &l);
	if (err->code)
		err_wrap(err, "what the TPM holds, '%s': ", path);
	return err->code || json_object_size(files) == 0 ? NULL : TAKE(files);
}

int nonvolatile_read(const struct vm *vm, json_t **out, struct err *err)
{
	const struct paths *paths = &vm->env->paths;
	const struct vm_spec *spec = vm_spec_now(vm);
	AUTO_FREE char *vars = firmware_vars_path(paths, vm->name);
	AUTO_FREE char *tpm = tpm_path(paths, vm->name);
	AUTO_JSON json_t *kept = json_object();
	json_t *part = NULL;

	if (firmware_is_uefi(spec))
		part = read_part(AT_FDCWD, vars, err);
	if (part)
		json_object_set_new(kept, "nvram", part);
	part = !err->code && tpm_is_there(spec) ? read_tpm(tpm, err) : NULL;
	if (part)
		json_object_set_new(kept, "tpm", part);
	if (err->code)
		return -1;
	*out = json_object_size(kept) ? TAKE(kept) : NULL;
	return 0;
}

/* ---- as it was kept ---- */

/* A name in the TPM's directory, and in no other. */
static bool is_file_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}

static bool is_text(const json_t *kept)
{
	json_t *tpm = json_object_get(kept, "tpm");
	json_t *nvram = json_object_get(kept, "nvram");
	const char *name;
	json_t *part;

	if (!json_is_object(kept) || (nvram && !json_is_string(nvram)) ||
		(tpm && !json_is_object(tpm)))
		return false;
	json_object_foreach(tpm, name, part)
	{
		if (!is_file_name(name) || !json_is_string(part))
			return false;
	}
	return true;
}

json_t *nonvolatile_load(const char *path, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_JSON json_t *kept = NULL;

	if (fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, err))
		return NULL;
	kept = json_loadb(text.data, text.len, 0, NULL);
	if (is_text(kept))
		return TAKE(kept);
	err_set(err, ERR_CONFIG, "'%s' is damaged", path);
	return NULL;
}

void nonvolatile_describe(
	const struct vm *vm, const json_t *kept, json_t *record)
{
	if (json_object_get(kept, "nvram"))
		json_object_set_new(record, "nvram",
			json_string(
				spec_firmware_names[vm_spec_now(vm)
							    ->vm.firmware]));
	if (json_object_get(kept, "tpm"))
		json_object_set_new(record, "tpm", json_true());
}

int nonvolatile_fit(const struct vm *vm, const json_t *record, const char *path,
	struct err *err)
{
	const char *nvram = member_text(record, "nvram");
	bool tpm = json_is_true(json_object_get(record, "tpm"));
	const char *now = spec_firmware_names[vm->spec->vm.firmware];
	AUTO_JSON json_t *kept = NULL;

	if (!*nvram && !tpm)
		return 0;
	if (*nvram && !str_eq(nvram, now))
		return err_set(err, ERR_STATE,
			"it has the variables of firmware = %.20s, [vm] says "
			"firmware = %s now: say %.20s first",
			nvram, now, nvram);
	if (tpm && !tpm_is_there(vm->spec))
		return err_set(err, ERR_STATE,
			"it has what a TPM held, and the VM has no [tpm] now: "
			"give it one first");
	kept = nonvolatile_load(path, err);
	if (!kept)
		return err_wrap(
			err, "what it kept of firmware and TPM is lost: ");
	if ((*nvram && !json_object_get(kept, "nvram")) ||
		(tpm && !json_object_get(kept, "tpm")))
		return err_set(err, ERR_CONFIG, "'%s' is damaged", path);
	return 0;
}

/* ---- put back ---- */

static int lay_part(
	const char *to, const json_t *part, json_t *pairs, struct err *err)
{
	AUTO_FREE char *beside = xasprintf("%s.kept", to);
	AUTO_STR struct str bytes = STR_INIT;

	if (base64_decode(json_string_value(part), &bytes))
		return err_set(err, ERR_CONFIG,
			"what was kept of '%s' is damaged", to);
	json_array_append_new(
		pairs, json_pack("{s:s,s:s}", "beside", beside, "to", to));
	return fd_write_file(AT_FDCWD, beside, str_text(&bytes), bytes.len,
		0600, false, err);
}

int nonvolatile_lay(
	const struct vm *vm, const json_t *kept, json_t *pairs, struct err *err)
{
	const struct paths *paths = &vm->env->paths;
	AUTO_FREE char *vars = firmware_vars_path(paths, vm->name);
	AUTO_FREE char *vars_dir = str_dir(vars);
	AUTO_FREE char *tpm = tpm_path(paths, vm->name);
	AUTO_FREE char *above = str_dir(tpm);
	json_t *nvram = json_object_get(kept, "nvram");
	json_t *files = json_object_get(kept, "tpm");
	const char *name;
	json_t *part;

	if (nvram && (fd_make_dirs(vars_dir, 0700, err) ||
			     lay_part(vars, nvram, pairs, err)))
		return -1;
	if (files && (fd_make_dirs(above, 0711, err) ||
			     fd_make_dirs(tpm, 0700, err)))
		return -1;
	json_object_foreach(files, name, part)
	{
		AUTO_FREE char *to = xasprintf("%s/%s", tpm, name);

		if (lay_part(to, part, pairs, err))
			return -1;
	}
	return 0;
}

struct put {
	struct job job;
	const struct vm *vm;
	char *path;
	json_t *pairs;
	size_t at;
	struct durable durable;
};

static const char *text_at(const struct put *op, const char *key)
{
	return member_text(json_array_get(op->pairs, op->at), key);
}

static bool lay(struct put *op)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *kept = nonvolatile_load(op->path, &err);

	if (kept && !nonvolatile_lay(op->vm, kept, op->pairs, &err))
		return true;
	job_fail_err(&op->job, &err);
	return false;
}

static bool place(struct put *op)
{
	struct err err = ERR_INIT;

	if (!sys_renameat(AT_FDCWD, text_at(op, "beside"), AT_FDCWD,
		    text_at(op, "to")))
		return true;
	err_os(&err, "cannot replace '%s'", text_at(op, "to"));
	job_fail_err(&op->job, &err);
	return false;
}

static enum job_state put_run(struct job *job)
{
	struct put *op = container_of(job, struct put, job);

	JOB_BEGIN(job);
	if (!lay(op))
		return JOB_ENDS;
	for (; op->at < json_array_size(op->pairs); op->at++) {
		JOB_DURABLE(job, &op->durable,
			durable_path(&op->durable, job, text_at(op, "beside")));
		if (!place(op))
			return JOB_ENDS;
		JOB_DURABLE(job, &op->durable,
			durable_above(&op->durable, job, text_at(op, "to")));
	}
	JOB_END(job);
}

static void put_cleanup(struct job *job)
{
	struct put *op = container_of(job, struct put, job);

	durable_stop(&op->durable);
	for (; op->at < json_array_size(op->pairs); op->at++)
		sys_unlinkat(AT_FDCWD, text_at(op, "beside"), 0);
	json_decref(op->pairs);
	free(op->path);
	free(op);
}

static const struct job_kind put_kind = {
	.name = "nonvolatile-put",
	.run = put_run,
	.cleanup = put_cleanup,
};

struct job *nonvolatile_put(const struct vm *vm, const char *path,
	struct job *parent, void (*on_end)(struct job *job, void *arg),
	void *arg)
{
	struct stat st;
	struct put *op;

	if (sys_fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) &&
		errno == ENOENT)
		return NULL;
	op = NEW(struct put);
	op->vm = vm;
	op->path = xstrdup(path);
	op->pairs = json_array();
	job_start(&op->job, &put_kind, vm->name, on_end, arg);
	op->job.parent = parent;
	return &op->job;
}
