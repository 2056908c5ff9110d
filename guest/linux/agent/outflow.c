/* SPDX-License-Identifier: MIT */
/* From the command to the host. */
#include <errno.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stream.h"

enum { ROUNDS = 16 }; /* of one step, so that the other streams have their turn */

void outflow_init(struct outflow *flow, int source, int port)
{
	flow->source = source;
	flow->port = port;
	flow->lost = flow->deaf = flow->end_put = flow->done = false;
	flow->bound = STREAM_UNBOUNDED;
	flow->start = flow->end = 0;
	flow->in = (struct inbox){ .bytes = flow->in_bytes, .room = sizeof(flow->in_bytes) };
}

static void close_source(struct outflow *flow)
{
	if (flow->source >= 0)
		close(flow->source);
	flow->source = -1;
}

void outflow_finish(struct outflow *flow, bool is_pipe)
{
	int size = 0;

	flow->bound = LONG_MAX;
	if (flow->source < 0 || !is_pipe)
		return;
	if (ioctl(flow->source, FIONREAD, &size) || size <= 0)
		close_source(flow);
	flow->bound = size;
}

/* The one thing that the host may say here. */
static enum stream_state read_port(struct outflow *flow)
{
	enum frame_found found;
	struct frame frame;
	ssize_t got;

	if (flow->lost || flow->deaf)
		return STREAM_GOES_ON;
	got = inbox_fill(&flow->in, flow->port);
	if (!got || (got < 0 && errno != EAGAIN))
		flow->lost = true;
	while ((found = frame_next(&flow->in, 0, &frame)) == FRAME_WHOLE) {
		if (frame.type != HATCH_AGENT_CLOSED)
			return STREAM_BAD;
		close_source(flow);
	}
	if (flow->lost) {
		close_source(flow);
		flow->done = true;
	}
	return found == FRAME_BAD ? STREAM_BAD : STREAM_GOES_ON;
}

/* False: the port takes no more now, or for ever. */
static bool write_out(struct outflow *flow, enum stream_state *state)
{
	ssize_t put;

	while (flow->start < flow->end) {
		put = write(flow->port, flow->bytes + flow->start, flow->end - flow->start);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno != EAGAIN)
			*state = STREAM_LOST;
		if (put <= 0)
			return false;
		flow->start += (size_t)put;
	}
	flow->start = flow->end = 0;
	flow->done = flow->end_put;
	return !flow->done;
}

static void put_end(struct outflow *flow)
{
	frame_header(flow->bytes, HATCH_AGENT_END, 0);
	flow->end = FRAME_HEADER;
	flow->end_put = true;
}

/* A pipe's end, or a terminal's; or nothing is there, and nothing more is waited for. */
static bool is_over(const struct outflow *flow, ssize_t got)
{
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR) ||
	       (got < 0 && flow->bound != STREAM_UNBOUNDED);
}

/* False: there is nothing now. */
static bool read_in(struct outflow *flow)
{
	size_t room = sizeof(flow->bytes) - FRAME_HEADER;
	ssize_t got;

	if (flow->bound != STREAM_UNBOUNDED && (size_t)flow->bound < room)
		room = (size_t)flow->bound;
	got = room ? read(flow->source, flow->bytes + FRAME_HEADER, room) : 0;
	if (got > 0) {
		frame_header(flow->bytes, HATCH_AGENT_DATA, (uint32_t)got);
		flow->end = FRAME_HEADER + (size_t)got;
		if (flow->bound != STREAM_UNBOUNDED)
			flow->bound -= got;
	} else if (is_over(flow, got)) {
		close_source(flow);
	}
	return got > 0 || flow->source < 0;
}

enum stream_state outflow_step(struct outflow *flow)
{
	enum stream_state state = read_port(flow);

	for (int i = 0; i < ROUNDS && state == STREAM_GOES_ON; i++) {
		if (flow->done || !write_out(flow, &state))
			break;
		if (flow->source < 0)
			put_end(flow);
		else if (!read_in(flow))
			break;
	}
	return state;
}

void outflow_wait(const struct outflow *flow, struct pollfd wait[2])
{
	bool full = flow->start < flow->end;

	wait[0] = (struct pollfd){ full ? -1 : flow->source, POLLIN, 0 };
	wait[1] = (struct pollfd){ flow->lost || (flow->deaf && !full) ? -1 : flow->port,
				   (short)((flow->deaf ? 0 : POLLIN) | (full ? POLLOUT : 0)), 0 };
}
