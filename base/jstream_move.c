/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream that moves to the next image of this process; see jstream.h. */
#include "base/jstream.h"

bool jstream_can_move(const struct jstream *js)
{
	return jstream_is_open(js) && !js->broken && !js->finishing &&
	       list_is_empty(&js->passing) && js->nfds == 0;
}

void jstream_save(const struct jstream *js, struct str *in, struct str *out)
{
	if (js->in.len > js->in_done)
		str_addn(in, js->in.data + js->in_done,
			js->in.len - js->in_done);
	if (js->out.len > js->out_done)
		str_addn(out, js->out.data + js->out_done,
			js->out.len - js->out_done);
}

void jstream_restore(
	struct jstream *js, const struct str *in, const struct str *out)
{
	struct err gone = ERR_INIT; /* its end will be told from the loop */

	if (out->len &&
		jstream_send_text(js, str_text(out), out->len, -1, &gone))
		return;
	jstream_pause(js, true);
	str_addn(&js->in, str_text(in), in->len);
	jstream_pause(js, false);
}
