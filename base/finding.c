/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a check found: errors and notes with file and line, kept in the order
 * in which they were found and capped, so that fifty thousand bad lines do
 * not become fifty thousand messages.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/finding.h"
#include "base/mem.h"

enum { KEPT = 100 }; /* errors, and as many notes */

void findings_init(struct findings *f)
{
	*f = (struct findings){ .errors = 0 };
	list_init(&f->list);
}

static void finding_free(struct finding *finding)
{
	list_del(&finding->link);
	free(finding->file);
	free(finding->text);
	free(finding);
}

void findings_fini(struct findings *f)
{
	list_each(&f->list, it, next)
		finding_free(list_entry(it, struct finding, link));
	findings_init(f);
}

void findings_move(struct findings *to, struct findings *from)
{
	list_move(&to->list, &from->list);
	to->errors = from->errors;
	to->notes = from->notes;
	to->more = from->more;
	findings_init(from);
}

/* Appends; text becomes the finding's. */
static struct finding *append(struct findings *f, enum finding_level level,
	const char *file, unsigned line, char *text)
{
	struct finding *finding = NEW(struct finding);

	finding->level = level;
	finding->file = xstrdup(file);
	finding->line = line;
	finding->text = text;
	list_add(&f->list, &finding->link);
	return finding;
}

/* The last finding tells how many errors came after the cap. */
static void count_more(struct findings *f, const char *file)
{
	unsigned more = f->errors - KEPT;
	char *text =
		xasprintf("and %u more error%s", more, more == 1 ? "" : "s");

	if (!f->more) {
		f->more = append(f, FINDING_ERROR, file, 0, text);
		return;
	}
	free(f->more->text);
	f->more->text = text;
}

void findings_add(struct findings *f, enum finding_level level,
	const char *file, unsigned line, const char *fmt, ...)
{
	bool error = level == FINDING_ERROR;
	unsigned count = error ? ++f->errors : ++f->notes;
	va_list ap;

	if (count > KEPT) {
		if (error)
			count_more(f, file);
		return;
	}
	va_start(ap, fmt);
	append(f, level, file, line, xvasprintf(fmt, ap));
	va_end(ap);
}

void findings_copy(struct findings *to, const struct findings *from)
{
	list_each(&from->list, it, next) {
		const struct finding *found =
			list_entry(it, struct finding, link);

		findings_add(to, found->level, found->file, found->line, "%s",
			found->text);
	}
}

void finding_add_text(const struct finding *finding, struct str *out)
{
	const char *file = finding->file;

	str_add_visible(out, file, strlen(file));
	if (finding->line)
		str_addf(out, ":%u", finding->line);
	str_add(out, ": ");
	str_add_visible(out, finding->text, strlen(finding->text));
}

int findings_to_err(const struct findings *f, struct err *err)
{
	AUTO_STR struct str text = STR_INIT;

	list_each(&f->list, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		if (found->level != FINDING_ERROR)
			continue;
		finding_add_text(found, &text);
		return err_set(err, ERR_CONFIG, "%s", str_text(&text));
	}
	return err_set(err, ERR_CONFIG, "the configuration has no error");
}

/* Moves the findings of one file to the end of `sorted`, by line. */
static void sort_file(struct list *from, struct list *sorted)
{
	const char *file = list_entry(from->next, struct finding, link)->file;
	struct list group = LIST_INIT(group);

	list_each(from, it, next) {
		struct finding *found = list_entry(it, struct finding, link);
		if (!str_eq(found->file, file))
			continue;
		struct list *at = group.prev;
		while (at != &group &&
			list_entry(at, struct finding, link)->line >
				found->line)
			at = at->prev;
		list_del(it);
		list_add(at->next, it);
	}
	while (!list_is_empty(&group)) {
		struct list *first = group.next;
		list_del(first);
		list_add(sorted, first);
	}
}

void findings_sort(struct findings *f)
{
	struct list sorted = LIST_INIT(sorted);

	if (f->more)
		list_del(&f->more->link);
	while (!list_is_empty(&f->list))
		sort_file(&f->list, &sorted);
	while (!list_is_empty(&sorted)) {
		struct list *first = sorted.next;
		list_del(first);
		list_add(&f->list, first);
	}
	if (f->more)
		list_add(&f->list, &f->more->link);
}
