/* SPDX-License-Identifier: MIT */
/* From the host to the command. */
#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stream.h"

enum {
	ROUNDS = 8, /* of one step, so that the other streams have their turn */
	PAUSE_LEAST = 100,
	PAUSE_MOST = 5000,
};

void inflow_init(struct inflow *flow, int port, int sink, bool terminal)
{
	flow->port = port;
	flow->sink = sink;
	flow->terminal = terminal;
	flow->open_line = flow->ended = false;
	flow->closed = flow->left = 0;
	flow->pause = 0;
	flow->in = (struct inbox){ .bytes = flow->bytes, .room = sizeof(flow->bytes) };
}

static void close_sink(struct inflow *flow)
{
	if (flow->sink >= 0)
		close(flow->sink);
	flow->sink = -1;
}

void inflow_close(struct inflow *flow)
{
	if (flow->sink >= 0 && !flow->ended)
		flow->closed = FRAME_HEADER;
	close_sink(flow);
}

static void tell_closed(struct inflow *flow)
{
	unsigned char frame[FRAME_HEADER];
	ssize_t put;

	frame_header(frame, HATCH_AGENT_CLOSED, 0);
	put = write(flow->port, frame + FRAME_HEADER - flow->closed, flow->closed);
	if (put > 0)
		flow->closed -= (unsigned int)put;
	else if (errno != EAGAIN && errno != EINTR)
		flow->closed = 0;
}

/* A line that has begun is ended by one of these characters, and the input by the next. */
static bool type_end(struct inflow *flow)
{
	struct termios modes;
	char end = 4;

	if (!tcgetattr(flow->sink, &modes))
		end = (char)modes.c_cc[VEOF];
	while (flow->open_line) {
		if (write(flow->sink, &end, 1) != 1)
			return errno != EAGAIN;
		flow->open_line = false;
	}
	return write(flow->sink, &end, 1) == 1 || errno != EAGAIN;
}

/*
 * A terminal's end is heard by one reader, if by any: whoever changes its modes at that moment loses
 * it. So it is typed again for as long as the command runs.
 */
static void end_sink(struct inflow *flow)
{
	flow->left = 0;
	if (flow->sink < 0 || flow->pause)
		return;
	if (!flow->terminal)
		close_sink(flow);
	else if (type_end(flow))
		flow->pause = PAUSE_LEAST;
}

void inflow_type_again(struct inflow *flow)
{
	if (flow->sink < 0 || !flow->pause)
		return;
	type_end(flow);
	flow->pause = flow->pause < PAUSE_MOST / 2 ? 2 * flow->pause : PAUSE_MOST;
}

/* False: the sink takes no more now. */
static bool pass_on(struct inflow *flow)
{
	size_t size = inbox_size(&flow->in);
	ssize_t put;

	size = size < flow->left ? size : flow->left;
	put = flow->sink < 0 ? (ssize_t)size
			     : write(flow->sink, flow->bytes + flow->in.start, size);
	if (put < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (put < 0) {
		inflow_close(flow);
		return true;
	}
	flow->in.start += (size_t)put;
	flow->left -= (uint32_t)put;
	flow->open_line = flow->in.start && flow->bytes[flow->in.start - 1] != '\n';
	return true;
}

static enum stream_state begin(struct inflow *flow, const struct frame *frame)
{
	if (flow->ended)
		return STREAM_BAD;
	if (frame->type == HATCH_AGENT_DATA && frame->size) {
		flow->left = frame->size;
		return STREAM_GOES_ON;
	}
	flow->ended = frame->type == HATCH_AGENT_END && !frame->size;
	return flow->ended ? STREAM_GOES_ON : STREAM_BAD;
}

/* All frames that have come, as far as the sink takes them. */
static enum stream_state use(struct inflow *flow)
{
	enum frame_found found;
	struct frame frame;

	for (;;) {
		if (flow->left && (!inbox_size(&flow->in) || !pass_on(flow)))
			return STREAM_GOES_ON;
		if (flow->left)
			continue;
		found = frame_next_header(&flow->in, HATCH_AGENT_DATA_MOST, &frame);
		if (found != FRAME_WHOLE)
			return found == FRAME_BAD ? STREAM_BAD : STREAM_GOES_ON;
		if (begin(flow, &frame) == STREAM_BAD)
			return STREAM_BAD;
	}
}

/* The port's other side is gone: what has not come whole never will. */
static void end_port(struct inflow *flow)
{
	flow->ended = true;
	flow->port = -1;
	if (!flow->left && inbox_size(&flow->in) < FRAME_HEADER)
		flow->in.start = flow->in.end;
}

enum stream_state inflow_step(struct inflow *flow)
{
	enum stream_state state;
	ssize_t got;
	int round = 0;

	if (flow->closed)
		tell_closed(flow);
	do {
		got = flow->port < 0 ? -1 : inbox_fill(&flow->in, flow->port);
		state = use(flow);
		if (!got)
			end_port(flow);
	} while (got > 0 && state == STREAM_GOES_ON && !inbox_size(&flow->in) && ++round < ROUNDS);
	if (flow->ended && state == STREAM_GOES_ON && !inbox_size(&flow->in))
		end_sink(flow);
	return state;
}

void inflow_wait(const struct inflow *flow, struct pollfd wait[2])
{
	bool waiting = (flow->left && inbox_size(&flow->in)) || (flow->ended && !flow->pause);
	bool reading = !flow->ended && !inbox_is_full(&flow->in);
	short port = (short)((flow->closed ? POLLOUT : 0) | (reading ? POLLIN : 0));

	wait[0] = (struct pollfd){ flow->sink, waiting ? POLLOUT : 0, 0 };
	wait[1] = (struct pollfd){ port ? flow->port : -1, port, 0 };
}
