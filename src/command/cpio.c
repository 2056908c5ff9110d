/* SPDX-License-Identifier: MIT */
#include "cpio.h"

#include <string.h>

static void pad(FILE *to, size_t size)
{
	for (; size % 4; size++)
		fputc(0, to);
}

/* Fields: inode, mode, uid, gid, links, mtime, size, device (2), node (2), name's size, checksum. */
static void write_entry(FILE *to, const char *name, unsigned int mode, const char *text)
{
	size_t name_size = strlen(name) + 1;
	size_t size = strlen(text);
	int header = fprintf(to, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1,
			     mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0);

	fwrite(name, 1, name_size, to);
	pad(to, header + name_size);
	fwrite(text, 1, size, to);
	pad(to, size);
}

void hatch_cpio_write(FILE *to, const char *name, const char *text)
{
	write_entry(to, name, 0100755, text);
	write_entry(to, "TRAILER!!!", 0, "");
}
