/* SPDX-License-Identifier: MIT */
#include "control.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "streams.h"

enum { SEED_SIZE = 64 };

int hatch_frame_refuse(const char *where, const struct hatch_agent_frame *frame,
		       struct hatch_problem *problem)
{
	return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
				 "the guest sent a frame that makes no sense (%s: type %u, %u "
				 "bytes): its agent is of another version, or something in the "
				 "guest took its place",
				 where, frame->type, frame->size);
}

/* ---- To the guest ---- */

static void add_clock(struct hatch_bytes *bytes)
{
	struct timespec now;
	uint8_t value[8];
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	hatch_put32(value, (uint32_t)ns);
	hatch_put32(value + 4, (uint32_t)(ns >> 32));
	hatch_setup_add(bytes, HATCH_AGENT_CLOCK, value, sizeof(value));
}

/* All guests of a snapshot would have the same random numbers. */
static void add_seed(struct hatch_bytes *bytes)
{
	uint8_t seed[SEED_SIZE];

	if (getrandom(seed, sizeof(seed), 0) == sizeof(seed))
		hatch_setup_add(bytes, HATCH_AGENT_SEED, seed, sizeof(seed));
}

static void answer_hello(struct hatch_control *control)
{
	struct hatch_bytes *bytes = &control->outlet.bytes;

	control->hello = true;
	add_clock(bytes);
	add_seed(bytes);
	hatch_bytes_add(bytes, control->plan->setup.data, control->plan->setup.size);
	hatch_outlet_add(&control->outlet, HATCH_AGENT_START, NULL, 0);
}

void hatch_control_signal(struct hatch_control *control, int number)
{
	uint8_t value[4];

	hatch_put32(value, (uint32_t)number);
	hatch_outlet_add(&control->outlet, HATCH_AGENT_SIGNAL, value, sizeof(value));
}

void hatch_control_resize(struct hatch_control *control, unsigned int rows, unsigned int columns)
{
	uint8_t value[4];

	hatch_put32(value, (uint32_t)(rows & 0xffff) | (uint32_t)columns << 16);
	hatch_outlet_add(&control->outlet, HATCH_AGENT_RESIZE, value, sizeof(value));
}

/* ---- From the guest ---- */

static int hear_hello(struct hatch_control *control, const uint8_t *data,
		      struct hatch_problem *problem)
{
	uint32_t version = hatch_get32(data);

	if (version != HATCH_AGENT_VERSION)
		return hatch_problem_set(problem, HATCH_COMMAND_EMACHINE,
					 "the guest's agent is of version %u, and %d is needed: "
					 "build the agent again",
					 version, HATCH_AGENT_VERSION);
	answer_hello(control);
	return 0;
}

static void hear_exited(struct hatch_control *control, const uint8_t *data, size_t size)
{
	control->exited = true;
	control->end = hatch_get32(data);
	control->code = hatch_get32(data + 4);
	snprintf(control->text, sizeof(control->text), "%.*s",
		 (int)(size - 8 < sizeof(control->text) ? size - 8 : sizeof(control->text)),
		 (const char *)data + 8);
}

/* Each comes in its turn and once, and is as long as it should be. */
static bool is_sound(const struct hatch_control *control, uint32_t type, size_t size)
{
	switch (type) {
	case HATCH_AGENT_HELLO:
		return !control->hello && size == 4;
	case HATCH_AGENT_STARTED:
		return control->hello && !control->started && !control->exited && !size;
	case HATCH_AGENT_EXITED:
		return control->hello && !control->exited && size >= 8;
	default:
		return false;
	}
}

static void hear(struct hatch_control *control, const struct hatch_agent_frame *frame,
		 const uint8_t *data, struct hatch_problem *problem)
{
	if (frame->type == HATCH_AGENT_HELLO)
		hear_hello(control, data, problem);
	else if (frame->type == HATCH_AGENT_STARTED)
		control->started = true;
	else
		hear_exited(control, data, frame->size);
}

/* A frame is waited for until it is whole; the longest fits the buffer. Whether it was there. */
static bool take_frame(struct hatch_control *control, struct hatch_problem *problem)
{
	struct hatch_inlet *inlet = &control->inlet;
	const uint8_t *at = inlet->buffer + inlet->start;
	struct hatch_agent_frame frame;

	if (inlet->end - inlet->start < HATCH_FRAME_HEAD)
		return false;
	frame = (struct hatch_agent_frame){ hatch_get32(at), hatch_get32(at + 4) };
	if (frame.size > HATCH_AGENT_DATA_MOST || !is_sound(control, frame.type, frame.size)) {
		hatch_frame_refuse("control", &frame, problem);
		return false;
	}
	if (inlet->end - inlet->start < HATCH_FRAME_HEAD + frame.size)
		return false;
	hear(control, &frame, at + HATCH_FRAME_HEAD, problem);
	inlet->start += HATCH_FRAME_HEAD + frame.size;
	return true;
}

static void listen_to(struct hatch_control *control, struct hatch_problem *problem)
{
	hatch_inlet_read(&control->inlet, control->port);
	while (!problem->error && take_frame(control, problem))
		;
	if (control->outlet.bytes.failed)
		hatch_problem_memory(problem);
}

void hatch_control_prepare(const struct hatch_control *control, struct pollfd *place)
{
	*place = (struct pollfd){ control->port, control->inlet.ended ? 0 : POLLIN, 0 };
	if (hatch_outlet_waits(&control->outlet))
		place->events |= POLLOUT;
	if (!place->events)
		place->fd = -1;
}

void hatch_control_serve(struct hatch_control *control, const struct pollfd *place,
			 struct hatch_problem *problem)
{
	if (place->revents & (POLLIN | POLLHUP | POLLERR))
		listen_to(control, problem);
	hatch_outlet_write(&control->outlet, control->port);
}

/* ---- Its end ---- */

static void tell(struct hatch_exit *exit, enum hatch_exit_kind kind, uint32_t value,
		 const char *text)
{
	struct hatch_problem line;

	hatch_problem_set(&line, HATCH_COMMAND_EMACHINE, "%s", text);
	exit->kind = kind;
	exit->value = (int)(value & 0xffff);
	memcpy(exit->problem, line.text, sizeof(exit->problem));
}

void hatch_control_judge(const struct hatch_control *control, struct hatch_exit *exit)
{
	const char *text = *control->text ? control->text : "the guest does not say why";

	switch (control->end) {
	case HATCH_AGENT_CODE:
		tell(exit, HATCH_EXIT_CODE, control->code & 0xff, "");
		break;
	case HATCH_AGENT_SIGNALED:
		tell(exit, HATCH_EXIT_SIGNALED, control->code & 0x7f, "");
		break;
	case HATCH_AGENT_NO_COMMAND:
		tell(exit, HATCH_EXIT_NO_COMMAND, control->code, text);
		break;
	case HATCH_AGENT_NO_EXEC:
		tell(exit, HATCH_EXIT_NO_EXEC, control->code, text);
		break;
	default:
		tell(exit, HATCH_EXIT_NO_MACHINE, control->code, text);
		break;
	}
}
