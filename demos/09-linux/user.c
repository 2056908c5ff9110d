/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include <hatch/board.h>

#include "user.h"

_Noreturn void give_up(const char *what, const char *why)
{
	printf("hatch: %s: %s\n", what, why);
	exit(125);
}

void check(int error, const char *what)
{
	if (error)
		give_up(what, hatch_error_text(error));
}

static int read_blob(void *name, uint64_t offset, void *to, size_t size)
{
	return offset ? HATCH_ENOTSUP : hatch_board_blob_read(name, to, size);
}

const struct hatch_source *find_file(struct hatch_source *source, char *name)
{
	int64_t size = hatch_board_blob_size(name);

	*source = (struct hatch_source){ read_blob, name, size < 0 ? 0 : (uint64_t)size, name };
	return size < 0 ? NULL : source;
}

/* With `end` zeros behind it. */
static char *read_whole(char *name, uint64_t size, size_t end)
{
	const struct hatch_memory *memory = hatch_board_memory();
	char *bytes = memory->alloc(memory->arg, size + end, HATCH_PAGE_SIZE);

	check(bytes ? hatch_board_blob_read(name, bytes, size) : HATCH_ENOMEM, name);
	return bytes;
}

char *read_file(char *name, uint64_t size)
{
	return read_whole(name, size, 0);
}

const char *find_text(char *name)
{
	int64_t size = hatch_board_blob_size(name);

	return size < 0 ? NULL : read_whole(name, (uint64_t)size, 1);
}

uint64_t find_number(char *name, uint64_t otherwise)
{
	const char *text = find_text(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}
