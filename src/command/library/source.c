/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "streams.h"

enum { BACKGROUND_MS = 250 }; /* between two looks whether a terminal is ours again */

static void make_frame(struct hatch_source *source, uint32_t type, size_t size)
{
	hatch_put32(source->frame, type);
	hatch_put32(source->frame + 4, (uint32_t)size);
	source->sent = 0;
	source->size = HATCH_FRAME_HEAD + size;
}

/* Whoever writes to our pipe meets a broken one from now on. */
static void end(struct hatch_source *source)
{
	source->ended = true;
	hatch_end_close(source->end);
	make_frame(source, HATCH_AGENT_END, 0);
}

static bool is_empty(const struct hatch_source *source)
{
	return source->sent == source->size;
}

static void take_bytes(struct hatch_source *source)
{
	size_t size = source->bytes->size - source->taken;

	if (size > HATCH_AGENT_DATA_MOST)
		size = HATCH_AGENT_DATA_MOST;
	if (!size) {
		end(source);
		return;
	}
	memcpy(source->frame + HATCH_FRAME_HEAD, source->bytes->data + source->taken, size);
	source->taken += size;
	make_frame(source, HATCH_AGENT_DATA, size);
}

/* What cannot be read is at its end: a shell's program would see an error, and stop as well. */
static void take(struct hatch_source *source)
{
	ssize_t size = hatch_end_read(source->end, source->frame + HATCH_FRAME_HEAD,
				      HATCH_AGENT_DATA_MOST);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size < 0 && errno == EIO && hatch_end_background(source->end))
		return;
	if (size <= 0)
		end(source);
	else
		make_frame(source, HATCH_AGENT_DATA, (size_t)size);
}

static void send_frame(struct hatch_source *source)
{
	ssize_t size = send(source->port, source->frame + source->sent, source->size - source->sent,
			    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (size > 0)
		source->sent += (size_t)size;
	else if (errno != EAGAIN && errno != EINTR) {
		source->sent = source->size; /* the machine is going, and says more than this */
		source->ended = true;
	}
}

/* A frame that was begun is sent to its end, then END. */
static void hear_closed(struct hatch_source *source)
{
	hatch_end_close(source->end);
	source->bytes = NULL;
}

static void listen_to(struct hatch_source *source, struct hatch_problem *problem)
{
	struct hatch_agent_frame frame;

	hatch_inlet_read(&source->inlet, source->port);
	while (hatch_inlet_head(&source->inlet, &frame)) {
		if (frame.type != HATCH_AGENT_CLOSED || frame.size) {
			hatch_frame_refuse("its standard input", &frame, problem);
			return;
		}
		hear_closed(source);
	}
}

static bool wants(const struct hatch_source *source)
{
	return source->open && !source->ended && is_empty(source);
}

void hatch_source_prepare(struct hatch_source *source, struct pollfd *place, int *ms)
{
	bool reads = wants(source) && source->end->kind != HATCH_END_NONE;

	if (wants(source) && source->bytes)
		take_bytes(source);
	else if (wants(source) && !reads)
		end(source);
	if (reads && hatch_end_background(source->end)) {
		reads = false;
		*ms = *ms < 0 || *ms > BACKGROUND_MS ? BACKGROUND_MS : *ms;
	}
	place[0] = (struct pollfd){ source->port, is_empty(source) ? 0 : POLLOUT, 0 };
	place[0].events |= source->inlet.ended ? 0 : POLLIN;
	if (!place[0].events)
		place[0].fd = -1;
	place[1] = (struct pollfd){ reads ? source->end->fd : -1, POLLIN, 0 };
}

void hatch_source_serve(struct hatch_source *source, const struct pollfd *place,
			struct hatch_problem *problem)
{
	if (place[1].revents)
		take(source);
	if (place[0].revents & (POLLIN | POLLHUP | POLLERR))
		listen_to(source, problem);
	if (!is_empty(source))
		send_frame(source);
}
