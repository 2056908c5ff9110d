/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "streams.h"

/* A pipe without a reader: the program is to meet one, too. */
static void close_it(struct hatch_sink *sink)
{
	sink->closed = true;
	hatch_end_close(sink->end);
	if (!sink->ended && !sink->inlet.ended)
		hatch_outlet_add(&sink->outlet, HATCH_AGENT_CLOSED, NULL, 0);
}

static void keep(struct hatch_sink *sink, const uint8_t *data, size_t size,
		 struct hatch_problem *problem)
{
	hatch_bytes_add(sink->collect, data, size);
	if (sink->collect->failed)
		hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
				  "no memory for what the command writes: give it a file or a pipe "
				  "to write to");
}

/* Returns how much was passed on. */
static size_t write_some(struct hatch_sink *sink, const uint8_t *data, size_t size,
			 struct hatch_problem *problem)
{
	ssize_t done;

	if (sink->closed)
		return size;
	if (sink->collect) {
		keep(sink, data, size, problem);
		return size;
	}
	done = hatch_end_write(sink->end, data, size);
	if (done >= 0)
		return (size_t)done;
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	sink->error = errno == EPIPE || errno == ECONNRESET ? 0 : errno;
	close_it(sink);
	return size;
}

static void take_head(struct hatch_sink *sink, const struct hatch_agent_frame *frame,
		      struct hatch_problem *problem)
{
	bool data = frame->type == HATCH_AGENT_DATA && frame->size &&
		    frame->size <= HATCH_AGENT_DATA_MOST;

	if (sink->ended || (!data && (frame->type != HATCH_AGENT_END || frame->size)))
		hatch_frame_refuse("its output", frame, problem);
	else if (!data)
		sink->ended = true;
}

static void take_heads(struct hatch_sink *sink, struct hatch_problem *problem)
{
	struct hatch_agent_frame frame;

	while (!problem->error && hatch_inlet_head(&sink->inlet, &frame))
		take_head(sink, &frame, problem);
}

/* As far as the end takes it: at once, or a piece, where that is all that is sure not to wait. */
static void pass_on(struct hatch_sink *sink, struct hatch_problem *problem)
{
	bool careful = sink->end->kind == HATCH_END_SHARED;
	struct hatch_inlet *inlet = &sink->inlet;
	size_t there, done;

	do {
		take_heads(sink, problem);
		there = problem->error ? 0 : hatch_inlet_there(inlet);
		done = there ? write_some(sink, inlet->buffer + inlet->start, there, problem) : 0;
		hatch_inlet_use(inlet, done);
		sink->moved |= done;
	} while (done && !careful);
	take_heads(sink, problem);
	/*
	 * A reader of our pipe need not wait for the machine's end. But one that breaks down may have a
	 * successor.
	 */
	if (sink->ended && !hatch_sink_waits(sink))
		hatch_end_close(sink->end);
}

bool hatch_sink_waits(const struct hatch_sink *sink)
{
	return hatch_inlet_there(&sink->inlet);
}

bool hatch_sink_done(const struct hatch_sink *sink)
{
	return (sink->ended || sink->inlet.ended) && !hatch_sink_waits(sink);
}

void hatch_sink_prepare(struct hatch_sink *sink, struct pollfd *place)
{
	bool waits = hatch_sink_waits(sink);

	place[0] = (struct pollfd){ sink->port, 0, 0 };
	if (!waits && !sink->inlet.ended)
		place[0].events |= POLLIN;
	if (hatch_outlet_waits(&sink->outlet))
		place[0].events |= POLLOUT;
	if (!place[0].events)
		place[0].fd = -1;
	place[1] = (struct pollfd){ waits && !sink->closed ? sink->end->fd : -1, POLLOUT, 0 };
}

void hatch_sink_serve(struct hatch_sink *sink, const struct pollfd *place,
		      struct hatch_problem *problem)
{
	if (place[0].revents & (POLLIN | POLLHUP | POLLERR))
		sink->moved |= hatch_inlet_read(&sink->inlet, sink->port);
	if (place[0].revents || place[1].revents)
		pass_on(sink, problem);
	hatch_outlet_write(&sink->outlet, sink->port);
}
