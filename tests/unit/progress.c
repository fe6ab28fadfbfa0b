/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The progress line. */
#include "ctl/progress.h"

#include "base/mem.h"
#include "tests/unit/tap.h"

static void feed(struct progress *p, json_t *data)
{
	progress_event(p, data);
	json_decref(data);
}

int main(void)
{
	const struct options opt = { .progress = PROGRESS_NONE };
	AUTO_STR struct str line = STR_INIT;
	struct progress p;

	progress_init(&p, &opt);
	feed(&p, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "job", "j1", "vm",
			 "web", "kind", "start", "phase", "convert", "done",
			 (json_int_t)0, "total", (json_int_t)5261334938));
	feed(&p, json_pack("{s:s, s:I, s:I}", "job", "j1", "done",
			 (json_int_t)2262500000, "total",
			 (json_int_t)5261334938));
	progress_line(&p, p.first_ms + 18500, 71, &line);
	is_str(str_text(&line),
		"web  convert  43 % [#####-------]  2.1 of 4.9 GiB  117 "
		"MiB/s  0:24 left",
		"bytes, rate, time left");
	str_cut(&line, 0);
	progress_line(&p, p.first_ms + 18500, 70, &line);
	is_str(str_text(&line),
		"web  convert  43 %  2.1 of 4.9 GiB  117 MiB/s  0:24 left",
		"where it is too long, the bar goes");
	str_cut(&line, 0);
	progress_line(&p, p.first_ms + 100, 80, &line);
	is_str(str_text(&line),
		"web  convert  43 % [#####-------]  2.1 of "
		"4.9 GiB",
		"no rate in the first half second");
	str_cut(&line, 0);
	feed(&p,
		json_pack("{s:s, s:s, s:s, s:s}", "job", "j2", "vm", "w\x1b[1m",
			"kind", "start", "phase", "waiting for agent"));
	progress_line(&p, p.started_ms + 4000, 80, &line);
	is_str(str_text(&line), "w\\x1b[1m  waiting for agent  4s",
		"no bytes: the time; control bytes are visible");
	str_cut(&line, 0);
	feed(&p, json_pack("{s:s, s:s, s:s, s:s}", "job", "j3", "image",
			 "/images/deb\xc3\xa4\xc3\xa4n.qcow2", "kind",
			 "image-make", "phase", "copying"));
	progress_line(&p, p.started_ms + 4000, 39, &line);
	is_str(str_text(&line),
		"/images/deb\xc3\xa4\xc3\xa4n.qcow2  copying  4s",
		"it fits, counted in cells");
	str_cut(&line, 0);
	progress_line(&p, p.started_ms + 4000, 24, &line);
	is_str(str_text(&line), "...n.qcow2  copying  4s",
		"of a long name the end stays, and no half character");
	str_cut(&line, 0);
	progress_line(&p, p.started_ms + 4000, 5, &line);
	is_str(str_text(&line), "...  copying  4s", "no room for any of it");
	str_cut(&line, 0);
	feed(&p, json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "job", "j3",
			 "image", "/images/debian.qcow2", "kind", "image-make",
			 "phase", "copying", "done", 1, "total", 4));
	progress_line(&p, p.first_ms, 54, &line);
	is_str(str_text(&line),
		"...n.qcow2  copying  25 % [###---------]  1.0 of 4.0 B",
		"the bar is worth more than a path");
	progress_end(&p, true);
	return done();
}
