/* SPDX-License-Identifier: MIT */
#include "frames.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

uint32_t hatch_get32(const uint8_t *from)
{
	return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

void hatch_put32(uint8_t *to, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

/* ---- From the guest ---- */

static void make_room(struct hatch_inlet *inlet)
{
	if (!inlet->start)
		return;
	memmove(inlet->buffer, inlet->buffer + inlet->start, inlet->end - inlet->start);
	inlet->end -= inlet->start;
	inlet->start = 0;
}

bool hatch_inlet_read(struct hatch_inlet *inlet, int port)
{
	ssize_t size;

	make_room(inlet);
	if (inlet->ended || inlet->end == sizeof(inlet->buffer))
		return false;
	size = recv(port, inlet->buffer + inlet->end, sizeof(inlet->buffer) - inlet->end,
		    MSG_DONTWAIT);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	inlet->ended = size <= 0;
	inlet->end += size > 0 ? (size_t)size : 0;
	return true;
}

bool hatch_inlet_head(struct hatch_inlet *inlet, struct hatch_agent_frame *frame)
{
	const uint8_t *head = inlet->buffer + inlet->start;

	if (inlet->left || inlet->end - inlet->start < HATCH_FRAME_HEAD)
		return false;
	*frame = (struct hatch_agent_frame){ hatch_get32(head), hatch_get32(head + 4) };
	inlet->start += HATCH_FRAME_HEAD;
	inlet->left = frame->size;
	return true;
}

size_t hatch_inlet_there(const struct hatch_inlet *inlet)
{
	size_t there = inlet->end - inlet->start;

	return there < inlet->left ? there : inlet->left;
}

void hatch_inlet_use(struct hatch_inlet *inlet, size_t size)
{
	inlet->start += size;
	inlet->left -= (uint32_t)size;
}

/* ---- To the guest ---- */

void hatch_outlet_add(struct hatch_outlet *outlet, uint32_t type, const void *data, size_t size)
{
	uint8_t head[HATCH_FRAME_HEAD];

	hatch_put32(head, type);
	hatch_put32(head + 4, (uint32_t)size);
	hatch_bytes_add(&outlet->bytes, head, sizeof(head));
	hatch_bytes_add(&outlet->bytes, data, size);
}

bool hatch_outlet_waits(const struct hatch_outlet *outlet)
{
	return outlet->sent < outlet->bytes.size;
}

void hatch_outlet_write(struct hatch_outlet *outlet, int port)
{
	ssize_t size;

	if (!hatch_outlet_waits(outlet))
		return;
	size = send(port, outlet->bytes.data + outlet->sent, outlet->bytes.size - outlet->sent,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	outlet->sent = size < 0 ? outlet->bytes.size : outlet->sent + (size_t)size;
	if (!hatch_outlet_waits(outlet))
		outlet->sent = outlet->bytes.size = 0;
}

void hatch_outlet_free(struct hatch_outlet *outlet)
{
	hatch_bytes_free(&outlet->bytes);
	outlet->sent = 0;
}
