/* SPDX-License-Identifier: MIT */
/* Frames of hatch/agent.h, to and from a port. What comes is the guest's: nothing of it is believed. */
#ifndef HATCH_LIBRARY_FRAMES_H
#define HATCH_LIBRARY_FRAMES_H

#include <hatch/agent.h>

#include "problem.h"

enum {
	HATCH_FRAME_HEAD = sizeof(struct hatch_agent_frame),
	HATCH_FRAME_MOST = HATCH_FRAME_HEAD + HATCH_AGENT_DATA_MOST,
};

/* buffer[start..end) came and is not used yet; `left` of it, or of what follows, are one frame's. */
struct hatch_inlet {
	bool ended; /* the port is shut */
	uint32_t left;
	size_t start, end;
	uint8_t buffer[HATCH_FRAME_MOST];
};

/* Reads what is there, if there is room. Returns whether anything came, the end included. */
bool hatch_inlet_read(struct hatch_inlet *inlet, int port);

/* Takes the next frame's header, if it is there whole. */
bool hatch_inlet_head(struct hatch_inlet *inlet, struct hatch_agent_frame *frame);

/* Bytes that are there, of the current frame. */
size_t hatch_inlet_there(const struct hatch_inlet *inlet);

/* So many of them have been used. */
void hatch_inlet_use(struct hatch_inlet *inlet, size_t size);

/* Bytes on their way to a port: data[sent..size). */
struct hatch_outlet {
	struct hatch_bytes bytes;
	size_t sent;
};

/* A whole frame. */
void hatch_outlet_add(struct hatch_outlet *outlet, uint32_t type, const void *data, size_t size);
bool hatch_outlet_waits(const struct hatch_outlet *outlet);
/* A port that is shut takes everything. */
void hatch_outlet_write(struct hatch_outlet *outlet, int port);
void hatch_outlet_free(struct hatch_outlet *outlet);

uint32_t hatch_get32(const uint8_t *from);
void hatch_put32(uint8_t *to, uint32_t value);

#endif
