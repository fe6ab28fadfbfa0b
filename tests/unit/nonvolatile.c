/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM keeps besides its disks: read, written beside, refused. */
#include "supervisor/nonvolatile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/member.h"

#include "tests/unit/tap.h"
#include "tests/unit/vmkit.h"

#define BOTH "[vm]\nfirmware = uefi\n[tpm]\n"

static const struct machine_hooks no_hooks;
static const char *const dirs[] = { "nvram", "tpm", "tpm/web" };

static struct vm *new_vm(const char *text)
{
	struct vm *vm = vm_new(&kit, "web", &no_hooks, kit_post);

	vm->spec = kit_spec(text);
	return vm;
}

/* A file below the state directory; valid until the next call. */
static const char *at(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/%s", kit.paths.state, name);
	return path;
}

static void put(const char *name, const char *text)
{
	struct err err = ERR_INIT;

	if (fd_write_file(
		    AT_FDCWD, at(name), text, strlen(text), 0600, false, &err))
		abort();
}

static json_t *read_it(const struct vm *vm, struct err *err)
{
	json_t *kept = NULL;

	if (nonvolatile_read(vm, &kept, err))
		printf("# %s\n", err->text);
	return kept;
}

static void test_read(void)
{
	struct vm *vm = new_vm(BOTH);
	struct vm *plain = new_vm("");
	struct err err = ERR_INIT;
	AUTO_JSON json_t *none = read_it(vm, &err);
	AUTO_JSON json_t *both = NULL;
	AUTO_JSON json_t *other = NULL;
	AUTO_JSON json_t *record = json_object();

	ok(!none && !err.code, "nothing before the first start");
	for (size_t i = 0; i < NELEMS(dirs); i++)
		if (mkdir(at(dirs[i]), 0700))
			abort();
	put("nvram/web.fd", "vars");
	put("tpm/web/tpm2-00.permall", "held");
	put("tpm/web/.lock", "x");
	put("tpm/web/TMP2-00.permall", "x");
	both = read_it(vm, &err);
	is_str(member_text(both, "nvram"), "dmFycw==", "the variables");
	is_int((int)json_object_size(json_object_get(both, "tpm")), 1,
		"of the TPM what it holds, and no more");
	is_str(member_text(json_object_get(both, "tpm"), "tpm2-00.permall"),
		"aGVsZA==", "that");
	other = read_it(plain, &err);
	ok(!other && !err.code, "a VM that has neither keeps neither");
	nonvolatile_describe(vm, both, record);
	is_str(member_text(record, "nvram"), "uefi", "its record says so");
	ok(json_is_true(json_object_get(record, "tpm")), "of both");
	vm_free(vm);
	vm_free(plain);
}

/* One file of the TPM's user that is none: nothing is read. */
static void refuses_file(
	struct vm *vm, const char *what, const char *want, struct err *err)
{
	json_t *kept = read_it(vm, err);

	ok(!kept && strstr(err->text, want) != NULL, "%s: %s", what, err->text);
	json_decref(kept);
	unlink(at("tpm/web/bad"));
	*err = (struct err)ERR_INIT;
}

static void test_hostile(void)
{
	struct vm *vm = new_vm(BOTH);
	struct err err = ERR_INIT;

	if (symlink("/etc/passwd", at("tpm/web/bad")))
		abort();
	refuses_file(vm, "a link", "cannot open 'bad'", &err);
	if (mkfifo(at("tpm/web/bad"), 0600))
		abort();
	refuses_file(vm, "a FIFO", "is not a regular file", &err);
	put("tpm/web/bad", "x");
	if (truncate(at("tpm/web/bad"), 5 * 1024 * 1024))
		abort();
	refuses_file(vm, "a large one", "is larger than", &err);
	for (int i = 0; i < 20; i++) {
		char name[40];

		snprintf(name, sizeof(name), "tpm/web/many%d", i);
		put(name, "x");
	}
	refuses_file(vm, "many", "more than 16 files", &err);
	for (int i = 0; i < 20; i++) {
		char name[40];

		snprintf(name, sizeof(name), "tpm/web/many%d", i);
		unlink(at(name));
	}
	vm_free(vm);
}

static void test_lay(void)
{
	struct vm *vm = new_vm(BOTH);
	struct err err = ERR_INIT;
	AUTO_JSON json_t *kept = json_pack("{s:s,s:{s:s}}", "nvram", "b25l",
		"tpm", "tpm2-00.permall", "dHdv");
	AUTO_JSON json_t *bad = json_pack("{s:s}", "nvram", "?");
	AUTO_JSON json_t *pairs = json_array();
	AUTO_STR struct str text = STR_INIT;
	const char *beside;

	ok(!nonvolatile_lay(vm, kept, pairs, &err), "written beside");
	is_int((int)json_array_size(pairs), 2, "each of them");
	is_str(member_text(json_array_get(pairs, 0), "to"), at("nvram/web.fd"),
		"for its place");
	beside = member_text(json_array_get(pairs, 0), "beside");
	ok(!fd_read_file(AT_FDCWD, beside, 100, &text, &err), "it is there");
	is_str(str_text(&text), "one", "as it was");
	ok(!fd_read_file(AT_FDCWD, at("nvram/web.fd"), 100, &text, &err) &&
			str_eq(str_text(&text), "vars"),
		"what is in its place stays");
	ok(nonvolatile_lay(vm, bad, pairs, &err) && err.code == ERR_CONFIG,
		"what is no base64 is refused: %s", err.text);
	vm_free(vm);
}

static void fits(const char *spec, const char *record, const char *want)
{
	struct vm *vm = new_vm(spec);
	AUTO_JSON json_t *json = json_loads(record, 0, NULL);
	struct err err = ERR_INIT;
	char path[600];
	int rc;

	snprintf(path, sizeof(path), "%s", at("kept.json"));
	rc = nonvolatile_fit(vm, json, path, &err);
	ok(rc ? *want && strstr(err.text, want) != NULL : !*want, "%s: %s",
		record, rc ? err.text : "fits");
	vm_free(vm);
}

static void test_fit(void)
{
	static const char *const damaged[] = { "", "[]", "{\"nvram\":1}",
		"{\"tpm\":[]}", "{\"tpm\":{\"../x\":\"\"}}",
		"{\"tpm\":{\".\":\"\"}}", "{\"tpm\":{\"a\":1}}" };

	put("kept.json", "{\"nvram\":\"b25l\"}");
	fits("", "{}", "");
	fits(BOTH, "{}", "");
	fits(BOTH, "{\"nvram\":\"uefi\"}", "");
	fits("", "{\"nvram\":\"uefi\"}", "say uefi first");
	fits("[vm]\nfirmware = uefi-secure\n", "{\"nvram\":\"uefi\"}",
		"firmware = uefi-secure now");
	fits("", "{\"tpm\":true}", "no [tpm] now");
	fits(BOTH, "{\"nvram\":\"uefi\",\"tpm\":true}", "is damaged");
	for (size_t i = 0; i < NELEMS(damaged); i++) {
		put("kept.json", damaged[i]);
		fits(BOTH, "{\"nvram\":\"uefi\"}", "is lost");
	}
	unlink(at("kept.json"));
	fits(BOTH, "{\"nvram\":\"uefi\"}", "No such file");
}

int main(void)
{
	kit_start();
	test_read();
	test_hostile();
	test_lay();
	test_fit();
	kit_end();
	return done();
}
