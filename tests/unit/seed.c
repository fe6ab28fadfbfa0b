/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor/seed: what [seed] becomes for cloud-init; no value breaks out of
 * its string, and bad ones are refused at their line.
 */
#include "supervisor/seed.h"

#include <jansson.h>

#include "base/jstream.h"
#include "tests/unit/confdir.h"
#include "tests/unit/tap.h"

#define DISK "[disk.root]\nsize = 1G\n"
#define KEY  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINelujXZXs0y4M1HlybdP5PD"

static struct vm_spec *load(const char *seed)
{
	AUTO_FREE char *text = xasprintf(DISK "[seed]\n%s", seed);
	AUTO_FREE char *found = NULL;
	struct vm_spec *spec;

	conf_put("vms/web.ini", text);
	spec = conf_load("web", &found);
	if (!spec)
		ok(false, "cannot load: %s", found);
	return spec;
}

/* The texts of a [seed]; false if it is refused. */
static bool render(const char *text, struct seed *seed, struct err *err)
{
	struct vm_spec *spec = load(text);
	bool good = spec && !seed_render(spec, seed, err);

	spec_free(spec);
	return good;
}

static json_t *read_config(const struct seed *seed)
{
	const char *text = str_text(&seed->user_data);

	if (!str_starts(text, "#cloud-config\n"))
		return NULL;
	return json_loads(text + strlen("#cloud-config\n"), 0, NULL);
}

/* ---- what is written ---- */

static void test_all_keys(void)
{
	struct err err = ERR_INIT;
	struct seed seed;

	conf_put("hash", "$6$salt$abc/def\n");
	ok(render("hostname = web-1.example.org\nuser = ann\n"
		  "ssh-key = " KEY " ann@pc\npassword-file = ../hash\n"
		  "packages = vim, g++\n",
		   &seed, &err),
		"all keys: %s", err.text);
	AUTO_JSON json_t *got = read_config(&seed);
	AUTO_JSON json_t *want =
		json_pack("{s:{s:s,s:s,s:b},s:[s],s:b,s:[s,s]}", "user", "name",
			"ann", "passwd", "$6$salt$abc/def", "lock_passwd", 0,
			"ssh_authorized_keys", KEY " ann@pc", "package_update",
			1, "packages", "vim", "g++");
	ok(got && json_equal(got, want), "user-data");
	AUTO_JSON json_t *meta = json_loads(str_text(&seed.meta_data), 0, NULL);
	is_str(json_string_value(json_object_get(meta, "local-hostname")),
		"web-1.example.org", "hostname");
	is_int(seed.network.len, 0, "no network-config");
	seed_fini(&seed);
}

static void test_files(void)
{
	struct err err = ERR_INIT;
	struct seed seed;

	conf_put("user", "#!/bin/sh\necho \"hi\"\n");
	conf_put("meta", "instance-id: mine\n");
	conf_put("net", "version: 2\n");
	ok(render("user-data = ../user\nmeta-data = ../meta\n"
		  "network-config = ../net\n",
		   &seed, &err),
		"files");
	is_str(str_text(&seed.user_data), "#!/bin/sh\necho \"hi\"\n",
		"user-data as it stands");
	is_str(str_text(&seed.meta_data), "instance-id: mine\n", "meta-data");
	is_str(str_text(&seed.network), "version: 2\n", "network-config");
	seed_fini(&seed);

	conf_put("keys", "# mine\n\n" KEY " a\r\n" KEY " b");
	ok(render("ssh-key = ../keys\n", &seed, &err), "a file of keys");
	AUTO_JSON json_t *got = read_config(&seed);
	AUTO_JSON json_t *want = json_pack(
		"{s:[s,s]}", "ssh_authorized_keys", KEY " a", KEY " b");
	ok(got && json_equal(got, want), "two keys");
	seed_fini(&seed);
}

/* Bytes of which each could end a YAML scalar somewhere. */
static void test_hostile_keys(void)
{
	static const char *const comments[] = { "\": {}", "' #", "a: b", "\\",
		"\\n", "\\ud83d", "- x", "&a *a", "!!python/object", "{{ x }}",
		"\xc2\x80", "\xe2\x80\xa8", "\xef\xbf\xbe", "\xf0\x9f\x90\xa7",
		"\x7f", "%%", "#cloud-config", "\t", "<<" };

	for (size_t i = 0; i < NELEMS(comments); i++) {
		AUTO_FREE char *file = xasprintf(KEY " %sx\n", comments[i]);
		AUTO_FREE char *want = xasprintf(KEY " %sx", comments[i]);
		struct err err = ERR_INIT;
		struct seed seed;
		bool plain = true;

		conf_put("keys", file);
		ok(render("ssh-key = ../keys\n", &seed, &err), "key %zu: %s", i,
			err.text);
		for (size_t at = 0; at < seed.user_data.len; at++)
			plain = plain &&
				(seed.user_data.data[at] == '\n' ||
					(seed.user_data.data[at] >= ' ' &&
						seed.user_data.data[at] <
							0x7f));
		ok(plain, "key %zu: printable ASCII only", i);
		AUTO_JSON json_t *got = read_config(&seed);
		if (strstr(str_text(&seed.user_data), "\\U0001F427"))
			ok(!got, "a wide character is written as YAML has it");
		else
			is_str(json_string_value(json_array_get(
				       json_object_get(
					       got, "ssh_authorized_keys"),
				       0)),
				want, "key %zu is what it was", i);
		seed_fini(&seed);
	}
}

/* ---- who the guest is ---- */

static char *instance_of(const char *text)
{
	struct err err = ERR_INIT;
	struct seed seed;
	char *id = NULL;

	if (render(text, &seed, &err)) {
		AUTO_JSON json_t *meta =
			json_loads(str_text(&seed.meta_data), 0, NULL);
		id = xstrdup(json_string_value(
			json_object_get(meta, "instance-id")));
	}
	seed_fini(&seed);
	return id;
}

static void test_instance(void)
{
	AUTO_FREE char *first = instance_of("ssh-key = " KEY " a\n");
	AUTO_FREE char *again = instance_of("; x\nssh-key = " KEY " a\n");
	AUTO_FREE char *host = instance_of("ssh-key = " KEY " a\nhostname=h\n");
	AUTO_FREE char *key = instance_of("ssh-key = " KEY " b\n");
	AUTO_FREE char *net =
		instance_of("ssh-key = " KEY " a\nnetwork-config = ../net\n");

	ok(first && again && host && key && net, "all have one");
	is_str(again, first, "the same again");
	is_str(host, first, "a new hostname is no new instance");
	ok(!str_eq(key, first), "a new key is one");
	ok(!str_eq(net, first), "a new network is one");
}

static void test_names(void)
{
	AUTO_FREE char *found = NULL;
	struct err err = ERR_INIT;
	struct seed seed;

	conf_put("vms/a.b@.ini", DISK "[seed]\n");
	struct vm_spec *spec = conf_load("a.b@c_7", &found);
	ok(spec && !seed_render(spec, &seed, &err), "an instance: %s", found);
	ok(strstr(str_text(&seed.meta_data), "\"a-b-c-7\""),
		"its name as a host's");
	is_str(str_text(&seed.user_data), "#cloud-config\n{}\n",
		"says nothing");
	seed_fini(&seed);
	struct spec_disk *disk = spec_disk_of(spec, "seed");
	ok(disk && disk->readonly && disk->made, "it has a disk");
	ok(disk && str_ends(disk->image, "/seeds/a.b@c_7.iso"), "there");
	ok(spec->disks.prev == &disk->link, "the last one");
	AUTO_STR struct str shown = STR_INIT;
	config_show(spec, false, "seed", &shown);
	is_str(str_text(&shown), "[seed]\n", "a header alone is shown");
	spec_free(spec);
	conf_put("vms/a.b@.ini", DISK "[seed]\nenabled = no\n");
	free(TAKE(found));
	spec = conf_load("a.b@c_7", &found);
	ok(spec && !spec_disk_of(spec, "seed"), "enabled = no");
	spec_free(spec);
}

/* ---- what is refused ---- */

static void test_bad_values(void)
{
	static const char *const bad[][2] = {
		{ "hostname = -web", "web.ini:4: [seed] hostname = -web: say" },
		{ "hostname = a..b", "say letters" },
		{ "hostname = a.b.", "say letters" },
		{ "hostname = a b", "say letters" },
		{ "hostname = we_b", "say letters" },
		{ "hostname = \"a: b\"", "say letters" },
		{ "hostname = "
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaa",
			"at most 64" },
		{ "user = Ann", "web.ini:4: [seed] user = Ann: say a-z" },
		{ "user = root:x", "say a-z" },
		{ "user = 1a", "say a-z" },
		{ "user = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "at most 32" },
		{ "ssh-key = ssh-rsa AAAA", "is no public key" },
		{ "ssh-key = ssh-rsa AAAAB3Nza!C1yc2EAAAA x",
			"is no public key" },
		{ "packages = vim, -x", "'-x' is no name of a package" },
		{ "packages = \"vim;x\"", "is no name of a package" },
		{ "packages = vim,", "after the last comma" },
		{ "user-data = u\nuser = ann", "cannot go with user-data" },
		{ "user-data = u\nssh-key = k", "cannot go with user-data" },
		{ "user-data = u\npackages = k", "cannot go with user-data" },
		{ "user-data = u\npassword-file = k",
			"cannot go with user-data" },
		{ "meta-data = u\nhostname = k", "cannot go with meta-data" },
		{ "[disk.seed]\nsize = 1G", "the disk that [seed] makes" },
		{ "ssh_key = x", "unknown key 'ssh_key' in [seed] (did you "
				 "mean 'ssh-key'?)" },
	};

	for (size_t i = 0; i < NELEMS(bad); i++) {
		AUTO_FREE char *text =
			xasprintf(DISK "[seed]\n%s\n", bad[i][0]);
		AUTO_FREE char *found = NULL;

		conf_put("vms/web.ini", text);
		found = conf_findings("web");
		is_str(strstr(found, bad[i][1]) ? "" : found, "",
			"refused: %zu, %s", i, bad[i][1]);
	}
}

static void test_bad_files(void)
{
	static const char *const bad[][3] = {
		{ "ssh-key", "-----BEGIN OPENSSH PRIVATE KEY-----\n",
			"ends in .pub" },
		{ "ssh-key", "# none\n\n", "there is no key" },
		{ "ssh-key", KEY " a\xff\n", "no public keys" },
		{ "password-file", "secret\n", "is not one line with a hash" },
		{ "password-file", "$6$a$b\n$6$c$d\n", "is not one line" },
		{ "password-file", "$6$a:b\n", "is not one line" },
		{ "password-file", "", "is not one line" },
		{ "user-data", NULL, "No such file" },
		{ "meta-data", NULL, "No such file" },
		{ "network-config", NULL, "No such file" },
	};

	for (size_t i = 0; i < NELEMS(bad); i++) {
		AUTO_FREE char *text =
			xasprintf(DISK "[seed]\n\n%s = ../named\n", bad[i][0]);
		AUTO_FREE char *line =
			xasprintf("web.ini:5: [seed] %s: ", bad[i][0]);
		AUTO_FREE char *found = NULL;
		struct findings f;
		bool missing;

		conf_put("named", bad[i][1]);
		conf_put("vms/web.ini", text);
		findings_init(&f);
		config_check(&conf, "web", NULL, &f, &missing);
		found = conf_found(&f);
		findings_fini(&f);
		ok(str_starts(found, line) && strstr(found, bad[i][2]),
			"%s, %s", bad[i][0], bad[i][2]);
	}
}

int main(void)
{
	conf_start(PATHS_SYSTEM);
	test_all_keys();
	test_files();
	test_hostile_keys();
	test_instance();
	test_names();
	test_bad_values();
	test_bad_files();
	conf_end();
	return done();
}
