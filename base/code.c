/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See code.h.  The loader's header and libev's do not go together. */
#include "base/code.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Parts of a program or library that nobody writes to, not even its loader. */
static int drop_object(struct dl_phdr_info *object, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;

	(void)size;
	(void)arg;
	for (unsigned i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t begin = object->dlpi_addr + part->p_vaddr;

		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W))
			madvise((void *)(begin & ~page),
				part->p_memsz + (begin & page), MADV_DONTNEED);
	}
	return 0;
}

void code_drop(void)
{
	dl_iterate_phdr(drop_object, NULL);
}
