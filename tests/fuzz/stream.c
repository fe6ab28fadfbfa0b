/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes from a QMP peer: however they are cut into pieces, the stream
 * hands over the same messages and ends the same way.  The first byte is
 * the length of the pieces.
 */
#include <stdint.h>

#include "base/log.h"
#include "base/mem.h"
#include "tests/unit/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 32 * 1024 };

/* What a stream made of the bytes; new. */
static char *play(const char *bytes, size_t len, size_t piece)
{
	struct jstream js;
	struct seen seen;
	int peer = open_pair(&js, &seen);
	char *text;

	BUG_ON(peer < 0);
	for (size_t done = 0; done < len && jstream_is_open(&js);) {
		size_t n = len - done < piece ? len - done : piece;

		BUG_ON(!put(peer, bytes + done, n));
		done += n;
		loop_turn(false);
	}
	shutdown(peer, SHUT_WR);
	for (int i = 0; i < 1000 && seen.ends == 0; i++)
		loop_turn(false);
	BUG_ON(seen.ends != 1);
	BUG_ON(jstream_is_open(&js));
	text = xasprintf("%send: %s", str_text(&seen.text), seen.err.text);
	close_pair(&js, &seen, peer);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct err err = ERR_INIT;

	if (size == 0 || size > MOST)
		return 0;
	if (!begun)
		BUG_ON(loop_init(&err) < 0);
	begun = true;
	const char *bytes = (const char *)data + 1;
	AUTO_FREE char *whole = play(bytes, size - 1, size);
	AUTO_FREE char *pieces = play(bytes, size - 1, data[0] % 16 + 1);
	BUG_ON(!str_eq(whole, pieces));
	return 0;
}
