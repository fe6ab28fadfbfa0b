/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chains of all disks of a VM; see chains.h. */
#include "supervisor/chains.h"

#include <string.h>

#include "base/mem.h"
#include "storage/format.h"

void chains_init(struct chains *chains)
{
	list_init(&chains->list);
}

void chains_fini(struct chains *chains)
{
	list_each(&chains->list, it, next) {
		struct disk_chain *d = list_entry(it, struct disk_chain, link);

		list_del(it);
		chain_fini(&d->chain);
		free(d->disk);
		free(d);
	}
}

const struct chain *chains_find(const struct chains *chains, const char *disk)
{
	list_each(&chains->list, it, next) {
		const struct disk_chain *d =
			list_entry(it, struct disk_chain, link);

		if (str_eq(d->disk, disk))
			return &d->chain;
	}
	return NULL;
}

struct chain *chains_add(struct chains *chains, const char *disk)
{
	struct disk_chain *d = NEW(struct disk_chain);

	d->disk = xstrdup(disk);
	list_add(&chains->list, &d->link);
	return &d->chain;
}

/* ---- QEMU's numbers ---- */

int chains_number(struct chains *chains, int first, struct err *err)
{
	int set = 0;
	int fd = first;

	list_each(&chains->list, it, next) {
		struct chain *chain =
			&list_entry(it, struct disk_chain, link)->chain;

		if (chain->secret)
			chain->secret_as = fd++;
		for (size_t i = 0; i < chain->n; i++) {
			struct chain_image *image = &chain->at[i];

			if (image->remote)
				continue;
			image->set = ++set;
			image->write_as = image->writes ? fd++ : -1;
			image->as = fd++;
		}
	}
	if (fd - first <= CHAINS_FDS_MAX)
		return 0;
	return err_set(err, ERR_LIMIT,
		"its disks are %d images, more than a VM takes: flatten some",
		set);
}

size_t chains_fds(const struct chains *chains, struct spawn_fd *out)
{
	size_t n = 0;

	list_each(&chains->list, it, next) {
		const struct chain *chain =
			&list_entry(it, struct disk_chain, link)->chain;

		if (chain->secret_fd > 0)
			out[n++] = (struct spawn_fd){ chain->secret_fd,
				chain->secret_as };
		for (size_t i = 0; i < chain->n; i++) {
			const struct chain_image *image = &chain->at[i];

			if (image->write_fd >= 0)
				out[n++] = (struct spawn_fd){ image->write_fd,
					image->write_as };
			if (image->fd >= 0)
				out[n++] = (struct spawn_fd){ image->fd,
					image->as };
		}
	}
	return n;
}

void chains_close(struct chains *chains)
{
	list_each(&chains->list, it, next)
		chain_close(&list_entry(it, struct disk_chain, link)->chain);
}

static const char *path_of_set(const struct chains *chains, uint64_t set)
{
	list_each(&chains->list, it, next) {
		const struct chain *chain =
			&list_entry(it, struct disk_chain, link)->chain;

		for (size_t i = 0; i < chain->n; i++)
			if (chain->at[i].set == (int)set)
				return chain->at[i].path;
	}
	return NULL;
}

char *chains_name_sets(const struct chains *chains, const char *words)
{
	static const char dir[] = "/dev/fdset/";
	AUTO_STR struct str out = STR_INIT;
	const char *at;

	while ((at = strstr(words, dir)) != NULL) {
		const char *number = at + strlen(dir);
		const char *path = path_of_set(chains, str_digits(number));

		str_addn(&out, words, (size_t)(at - words));
		words = number + strspn(number, "0123456789");
		if (path)
			str_add(&out, path);
		else
			str_addn(&out, at, (size_t)(words - at));
	}
	str_add(&out, words);
	return str_take(&out);
}

/* ---- as text ---- */

void chains_add_text(
	struct str *text, const char *disk, const struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++)
		str_addf(text, "%s %zu %s %s\n", disk, i, chain->at[i].format,
			chain->at[i].path);
}

/* A word up to a blank; false if there is none. */
static bool next_word(const char **at, const char **word, size_t *len)
{
	*word = *at;
	*len = strcspn(*at, " \n");
	if ((*at)[*len] != ' ')
		return false;
	*at += *len + 1;
	return true;
}

bool chains_next(const char **at, struct chains_line *line)
{
	const char *depth;
	size_t len;

	while (**at) {
		const char *from = *at;
		bool good = next_word(at, &line->disk, &line->disk_len) &&
			    next_word(at, &depth, &len) &&
			    next_word(at, &line->format, &line->format_len);

		line->path = *at;
		line->path_len = strcspn(*at, "\n");
		*at = from + strcspn(from, "\n");
		*at += **at == '\n';
		line->top = good && *depth == '0';
		if (good)
			return true;
	}
	return false;
}

static bool is(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

bool chains_parse(
	const char *text, const char *disk, const char *top, struct chain *out)
{
	struct chains_line line;
	bool ours = false;

	*out = (struct chain){ NULL };
	while (chains_next(&text, &line)) {
		AUTO_FREE char *path = xstrndup(line.path, line.path_len);
		AUTO_FREE char *format = xstrndup(line.format, line.format_len);

		if (line.top && ours)
			break;
		if (line.top)
			ours = is(line.disk, line.disk_len, disk) &&
			       str_eq(path, top);
		if (ours && format_by_name(format))
			chain_add(out, path, format_by_name(format));
	}
	return out->n > 0;
}

json_t *chains_json(const char *text, const char *disk, const char *top)
{
	json_t *all = json_array();
	AUTO_FREE char *plain = chain_plain_path(top);
	struct chain chain = { NULL };

	if (text)
		chains_parse(text, disk, plain, &chain);
	for (size_t i = 0; i < chain.n; i++)
		json_array_append_new(
			all, json_pack("{s:s,s:s}", "path", chain.at[i].path,
				     "format", chain.at[i].format));
	chain_fini(&chain);
	return all;
}
