/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

enum {
	KEPT_MOST = 1 << 20,
	BLOCK = 4096,
	CTRL_C = 3,
};

void hatch_keys_begin(struct hatch_keys *keys, int from, int to)
{
	*keys = (struct hatch_keys){ .from = from, .to = to };
	fcntl(to, F_SETFL, O_NONBLOCK);
}

static void close_sink(struct hatch_keys *keys)
{
	if (keys->to >= 0)
		close(keys->to);
	keys->to = -1;
	keys->length = 0;
}

void hatch_keys_end(struct hatch_keys *keys)
{
	close_sink(keys);
	free(keys->data);
	keys->data = NULL;
}

int hatch_keys_source(const struct hatch_keys *keys)
{
	return keys->length < KEPT_MOST ? keys->from : -1;
}

int hatch_keys_sink(const struct hatch_keys *keys)
{
	return keys->length ? keys->to : -1;
}

static void append(struct hatch_keys *keys, const char *data, size_t size)
{
	if (keys->length + size > keys->room) {
		keys->room = 2 * keys->room + size;
		keys->data = realloc(keys->data, keys->room);
	}
	if (!keys->data)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "out of memory: close some programs and run again");
	memcpy(keys->data + keys->length, data, size);
	keys->length += size;
}

/* No key will come any more; what came before is still written. */
static void end_source(struct hatch_keys *keys)
{
	keys->from = -1;
	if (!keys->length)
		close_sink(keys);
}

static bool only_ctrl_c(const char *data, size_t size)
{
	while (size && data[size - 1] == CTRL_C)
		size--;
	return !size;
}

bool hatch_keys_read(struct hatch_keys *keys)
{
	char block[BLOCK];
	ssize_t size = read(keys->from, block, sizeof(block));

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (size <= 0) {
		end_source(keys);
		return false;
	}
	if (keys->to >= 0) {
		append(keys, block, (size_t)size);
		hatch_keys_write(keys);
	}
	return only_ctrl_c(block, (size_t)size);
}

void hatch_keys_write(struct hatch_keys *keys)
{
	ssize_t size = write(keys->to, keys->data, keys->length);

	if (size < 0 && errno != EAGAIN && errno != EINTR)
		close_sink(keys);
	if (size <= 0)
		return;
	keys->length -= (size_t)size;
	memmove(keys->data, keys->data + size, keys->length);
	if (keys->from < 0 && !keys->length)
		close_sink(keys);
}
