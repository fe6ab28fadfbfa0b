/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains by the disks of a spec; see chain_open.h. */
#include "supervisor/chain_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "storage/remote.h"
#include "storage/secret.h"
#include "supervisor/argv.h"

/* ---- what the spec says ---- */

/* A disk's images by its keys. */
struct written {
	char *path;
	const char *format;
	char *base; /* or NULL */
	const char *base_format;
};

static void written_fini(struct written *w)
{
	free(w->path);
	free(w->base);
}

static int read_disk(struct written *w, const struct vm_spec *spec,
	const struct spec_disk *disk, const char *images, struct err *err)
{
	int format;
	int base = FORMAT_NONE;

	*w = (struct written){ .path = argv_disk_path(spec, disk, images),
		.base = argv_base_path(disk, images) };
	format = argv_disk_format(disk, w->path, err);
	if (format != FORMAT_NONE && w->base)
		base = argv_base_format(disk, w->base, err);
	if (format == FORMAT_NONE || (w->base && base == FORMAT_NONE))
		return -1;
	w->format = spec_format_names[format];
	w->base_format = w->base ? spec_format_names[base] : NULL;
	return 0;
}

int chains_guess(struct chains *chains, const struct vm_spec *spec,
	const char *images, struct err *err)
{
	int rc = 0;

	list_each(&spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		struct chain *chain = chains_add(chains, disk->name);
		struct written w;

		if (!read_disk(&w, spec, disk, images, err)) {
			struct chain_image *top =
				chain_add(chain, w.path, w.format);

			top->device = str_starts(w.path, "/dev/");
			top->remote = disk->url != NULL;
			chain->encrypted =
				disk->secret_file &&
				!(disk->url && remote_takes_secret(disk->url));
			chain->secret = disk->secret_file != NULL;
			top->writes = !disk->readonly;
			if (w.base)
				chain_add(chain, w.base, w.base_format);
		} else {
			rc = -1;
		}
		written_fini(&w);
	}
	return rc;
}

/* ---- opening ---- */

/* What a person types to believe the headers. */
static char *accept_words(const struct vm_spec *spec,
	const struct spec_disk *disk, const struct paths *paths)
{
	if (paths->scope == PATHS_FILE)
		return xasprintf("rm %s/chains/%s", paths->state, spec->name);
	return xasprintf("vmward disk accept %s %s", spec->name, disk->name);
}

static bool is_missing(const char *path)
{
	struct stat st;

	return sys_fstatat(AT_FDCWD, path, &st, 0) && errno == ENOENT;
}

/* As it will be: a new image, and what its base is on top of. */
static int open_missing(struct chain *chain, const struct written *w,
	struct chain_wish *wish, struct err *err)
{
	struct chain below = { NULL };

	*chain = (struct chain){ .encrypted = wish->secret };
	if (w->base) {
		wish->path = w->base;
		wish->format = w->base_format;
		wish->base = NULL;
		wish->write = false;
		wish->known = NULL;
		wish->secret = false;
		if (chain_open(&below, wish, err))
			return -1;
	}
	chain_add(chain, w->path, w->format)->writes = true;
	for (size_t i = 0; i < below.n; i++)
		chain_add(chain, below.at[i].path, below.at[i].format)->device =
			below.at[i].device;
	chain_fini(&below);
	return 0;
}

/* QEMU connects to it itself; a format of its own lies in it. */
static int open_remote(struct chain *chain, const struct spec_disk *disk,
	const struct written *w, struct err *err)
{
	struct chain_image *image = chain_add(chain, w->path, w->format);

	image->remote = true;
	image->writes = !disk->readonly;
	chain->encrypted = disk->secret_file && !remote_takes_secret(disk->url);
	return remote_check(disk->url, err);
}

static int open_secret(
	struct chain *chain, const struct spec_disk *disk, struct err *err)
{
	struct secret secret;

	if (secret_read(disk->secret_file, &secret, err))
		return -1;
	chain->secret_fd = secret_pipe(&secret);
	secret_fini(&secret);
	if (chain->secret_fd >= 0)
		return 0;
	chain->secret_fd = 0;
	return err_os(err, "cannot pass the secret on");
}

/* Its own open file, where that may be: QEMU's locks go with QEMU. */
static int open_disc(struct chain *chain, const struct chains_from *from,
	const struct written *w, struct err *err)
{
	AUTO_FREE char *self = xasprintf("/proc/self/fd/%d", from->disc);
	struct chain_image *image = chain_add(chain, w->path, w->format);
	struct stat st;

	image->fd = sys_openat(AT_FDCWD, self, O_RDONLY | O_CLOEXEC, 0);
	if (image->fd < 0)
		image->fd = sys_dup(from->disc);
	if (image->fd < 0 || sys_fstat(image->fd, &st))
		return err_os(err, "cannot open '%s'", w->path);
	image->device = S_ISBLK(st.st_mode);
	return 0;
}

int chains_open_disk(struct chain *chain, const struct chains_from *from,
	const struct spec_disk *disk, struct err *err)
{
	AUTO_FREE char *accept = accept_words(from->spec, disk, from->paths);
	AUTO_FREE char *plain = NULL;
	struct chain before = { NULL };
	struct chain_wish wish = { .write = !disk->readonly,
		.look = from->look,
		.trust = from->trust,
		.pool = disk->pool.dir ? disk->pool.dir : from->paths->images,
		.secret = disk->secret_file != NULL,
		.accept = accept };
	struct written w;
	int rc = read_disk(&w, from->spec, disk, from->paths->images, err);

	*chain = (struct chain){ NULL };
	if (!rc && disk->url) {
		rc = open_remote(chain, disk, &w, err);
	} else if (!rc && disk->disc && !disk->drive && from->disc > 0) {
		rc = open_disc(chain, from, &w, err);
	} else if (!rc) {
		plain = chain_plain_path(w.path);
		wish.path = w.path;
		wish.format = w.format;
		wish.base = w.base;
		wish.base_format = w.base_format;
		if (from->known &&
			chains_parse(from->known, disk->name, plain, &before))
			wish.known = &before;
		rc = from->look && is_missing(w.path)
			     ? open_missing(chain, &w, &wish, err)
			     : chain_open(chain, &wish, err);
	}
	if (!rc)
		chain->secret = disk->secret_file != NULL;
	if (!rc && disk->secret_file && !from->look) {
		rc = open_secret(chain, disk, err);
		if (rc)
			chain_fini(chain);
	}
	if (rc)
		err_wrap(err, "disk '%s': ", disk->name);
	chain_fini(&before);
	written_fini(&w);
	return rc;
}

int chains_open(
	struct chains *chains, const struct chains_from *from, struct err *err)
{
	list_each(&from->spec->disks, it, next) {
		const struct spec_disk *disk =
			list_entry(it, struct spec_disk, link);
		struct chain *chain = chains_add(chains, disk->name);

		if (chains_open_disk(chain, from, disk, err)) {
			chains_fini(chains);
			return -1;
		}
	}
	return 0;
}
