/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

unsigned int frame_u16(const void *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return le16toh(value);
}

uint32_t frame_u32(const void *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

uint64_t frame_u64(const void *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

unsigned char *frame_put_u32(void *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
	return (unsigned char *)to + sizeof(value);
}

unsigned char *frame_header(void *to, uint32_t type, uint32_t size)
{
	return frame_put_u32(frame_put_u32(to, type), size);
}

size_t inbox_size(const struct inbox *in)
{
	return in->end - in->start;
}

bool inbox_is_full(const struct inbox *in)
{
	return in->end == in->room && in->start < in->room / 2;
}

/* What is moved is never more than what was used since. */
static void make_room(struct inbox *in)
{
	if (in->start == in->end) {
		in->start = in->end = 0;
	} else if (in->end == in->room && !inbox_is_full(in)) {
		memmove(in->bytes, in->bytes + in->start, inbox_size(in));
		in->end -= in->start;
		in->start = 0;
	}
}

/* A port gives but a few KiB at once, whatever was asked for. */
ssize_t inbox_fill(struct inbox *in, int fd)
{
	ssize_t total = 0, got;

	make_room(in);
	while (in->end < in->room) {
		got = read(fd, in->bytes + in->end, in->room - in->end);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return total ? total : got;
		in->end += (size_t)got;
		total += got;
	}
	if (!total)
		errno = EAGAIN;
	return total ? total : -1;
}

static enum frame_found look(const struct inbox *in, uint32_t most, struct frame *frame)
{
	const unsigned char *at = in->bytes + in->start;

	if (inbox_size(in) < FRAME_HEADER)
		return FRAME_NONE;
	*frame = (struct frame){ frame_u32(at), frame_u32(at + 4), at + FRAME_HEADER };
	return frame->size > most ? FRAME_BAD : FRAME_WHOLE;
}

enum frame_found frame_next_header(struct inbox *in, uint32_t most, struct frame *frame)
{
	enum frame_found found = look(in, most, frame);

	if (found == FRAME_WHOLE)
		in->start += FRAME_HEADER;
	return found;
}

enum frame_found frame_next(struct inbox *in, uint32_t most, struct frame *frame)
{
	enum frame_found found = look(in, most, frame);

	if (found == FRAME_WHOLE && inbox_size(in) - FRAME_HEADER < frame->size)
		return FRAME_NONE;
	if (found == FRAME_WHOLE)
		in->start += FRAME_HEADER + frame->size;
	return found;
}
