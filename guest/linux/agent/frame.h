/* SPDX-License-Identifier: MIT */
/* Frames of hatch/agent.h as they come out of a port, in pieces of any size. Pure. */
#ifndef AGENT_FRAME_H
#define AGENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hatch/agent.h>

enum { FRAME_HEADER = 8 };

/* Bytes that have come and are not used yet: those from `start` to `end`. */
struct inbox {
	unsigned char *bytes;
	size_t room, start, end;
};

/* A whole frame; `data` stays valid until the inbox is filled again. */
struct frame {
	uint32_t type, size;
	const unsigned char *data;
};

enum frame_found {
	FRAME_NONE,  /* more must come first */
	FRAME_WHOLE, /* taken out of the inbox */
	FRAME_BAD,   /* no such frame can be: the other side is broken */
};

uint32_t frame_u32(const void *at);
uint64_t frame_u64(const void *at);
unsigned int frame_u16(const void *at);

/* Writes a header; returns where the data begins. */
unsigned char *frame_header(void *to, uint32_t type, uint32_t size);
unsigned char *frame_put_u32(void *to, uint32_t value);

size_t inbox_size(const struct inbox *in);

/* Whether inbox_fill would have no room. */
bool inbox_is_full(const struct inbox *in);

/* Reads what there is, as far as there is room. Bytes; 0: the end; -1: nothing now, or an error. */
ssize_t inbox_fill(struct inbox *in, int fd);

/* The next frame if it has come whole. One with more than `most` bytes of data is bad. */
enum frame_found frame_next(struct inbox *in, uint32_t most, struct frame *frame);

/* The next header alone, taken out; its data comes behind it. */
enum frame_found frame_next_header(struct inbox *in, uint32_t most, struct frame *frame);

#endif
