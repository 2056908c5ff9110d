/* SPDX-License-Identifier: MIT */
/* The agent's streams, between pipes and sockets that stand for the command and the port. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#include "stream.h"

/* `port` is the agent's end, `host` the other one. */
struct bench {
	int port, host, command, ours;
	struct outflow out;
	struct inflow in;
	unsigned char got[1 << 18];
	size_t size;
};

static struct bench bench;

static void set_up(struct bench *b, bool inward)
{
	int port[2], line[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, port), 0);
	assert_int_equal(pipe2(line, O_NONBLOCK), 0);
	b->port = port[0];
	b->host = port[1];
	b->command = line[inward ? 0 : 1];
	b->ours = line[inward ? 1 : 0];
	b->size = 0;
	if (inward)
		inflow_init(&b->in, b->port, b->ours, false);
	else
		outflow_init(&b->out, b->ours, b->port);
}

static void tear_down(struct bench *b, int still_ours)
{
	close(b->port);
	if (b->host >= 0)
		close(b->host);
	if (b->command >= 0)
		close(b->command);
	if (still_ours >= 0)
		close(still_ours);
}

static void drain(struct bench *b, int fd)
{
	ssize_t got;

	while ((got = read(fd, b->got + b->size, sizeof(b->got) - b->size)) > 0)
		b->size += (size_t)got;
}

static void send_frame(struct bench *b, uint32_t type, const void *data, uint32_t size)
{
	unsigned char frame[FRAME_HEADER + 256];

	memcpy(frame_header(frame, type, size), data ? data : "", size);
	assert_int_equal(write(b->host, frame, FRAME_HEADER + size), FRAME_HEADER + size);
}

static void output_is_framed(void **state)
{
	struct bench *b = &bench;

	set_up(b, false);
	assert_int_equal(write(b->command, "hello", 5), 5);
	assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	close(b->command);
	b->command = -1;
	assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	assert_true(b->out.done);
	drain(b, b->host);
	assert_int_equal(b->size, FRAME_HEADER + 5 + FRAME_HEADER);
	assert_int_equal(frame_u32(b->got), HATCH_AGENT_DATA);
	assert_int_equal(frame_u32(b->got + 4), 5);
	assert_memory_equal(b->got + 8, "hello", 5);
	assert_int_equal(frame_u32(b->got + 13), HATCH_AGENT_END);
	tear_down(b, b->out.source);
}

/* Bytes that count up, as many as the command gets rid of while the host does not read. */
static size_t fill(struct bench *b)
{
	unsigned char byte = 0;
	size_t sent = 0;

	do
		assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	while (write(b->command, &byte, 1) == 1 && (byte = (unsigned char)++sent, sent < 200000));
	return sent;
}

/* Takes the whole frames out of what was got; their bytes are counted, and must go on counting. */
static void take_frames(struct bench *b, size_t *counted)
{
	size_t at = 0, end;

	while (at + 8 <= b->size && (end = at + 8 + frame_u32(b->got + at + 4)) <= b->size) {
		for (at += 8; at < end; at++, ++*counted)
			assert_int_equal(b->got[at], (unsigned char)*counted);
	}
	memmove(b->got, b->got + at, b->size - at);
	b->size -= at;
}

/* The host does not read: the pipe fills, nothing is lost, and then all of it comes in order. */
static void output_waits_for_the_host(void **state)
{
	struct bench *b = &bench;
	size_t sent, counted = 0;

	set_up(b, false);
	sent = fill(b);
	assert_in_range(sent, 60000, 199999); /* at least the pipe; and not without bound */
	close(b->command);
	b->command = -1;
	for (int i = 0; i < 10000 && !b->out.done; i++) {
		drain(b, b->host);
		take_frames(b, &counted);
		assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	}
	drain(b, b->host);
	take_frames(b, &counted);
	assert_true(b->out.done);
	assert_int_equal(counted, sent);
	tear_down(b, b->out.source);
}

static void closed_output_breaks_the_pipe(void **state)
{
	struct bench *b = &bench;

	set_up(b, false);
	send_frame(b, HATCH_AGENT_CLOSED, NULL, 0);
	assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	assert_int_equal(write(b->command, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_true(b->out.done);
	drain(b, b->host);
	assert_int_equal(b->size, FRAME_HEADER);
	assert_int_equal(frame_u32(b->got), HATCH_AGENT_END);
	tear_down(b, b->out.source);
}

static void output_of_those_who_stay_is_not_waited_for(void **state)
{
	struct bench *b = &bench;

	set_up(b, false);
	assert_int_equal(write(b->command, "last", 4), 4);
	outflow_finish(&b->out, true);
	assert_int_equal(write(b->command, "late", 4), 4);
	assert_int_equal(outflow_step(&b->out), STREAM_GOES_ON);
	assert_true(b->out.done);
	drain(b, b->host);
	assert_int_equal(b->size, FRAME_HEADER + 4 + FRAME_HEADER);
	tear_down(b, b->out.source);
}

static void output_to_nobody(void **state)
{
	struct bench *b = &bench;

	set_up(b, false);
	close(b->host);
	b->host = -1;
	outflow_step(&b->out);
	assert_true(b->out.done);
	assert_true(b->out.lost);
	tear_down(b, b->out.source);
	set_up(b, false);
	send_frame(b, HATCH_AGENT_DATA, "x", 1);
	assert_int_equal(outflow_step(&b->out), STREAM_BAD);
	tear_down(b, b->out.source);
}

static void input_comes_through(void **state)
{
	struct bench *b = &bench;

	set_up(b, true);
	send_frame(b, HATCH_AGENT_DATA, "hello ", 6);
	send_frame(b, HATCH_AGENT_DATA, "world", 5);
	send_frame(b, HATCH_AGENT_END, NULL, 0);
	assert_int_equal(inflow_step(&b->in), STREAM_GOES_ON);
	assert_int_equal(inflow_step(&b->in), STREAM_GOES_ON);
	drain(b, b->command);
	assert_int_equal(b->size, 11);
	assert_memory_equal(b->got, "hello world", 11);
	assert_int_equal(read(b->command, b->got, 1), 0); /* the end */
	assert_int_equal(b->in.sink, -1);
	tear_down(b, -1);
}

static void input_that_nobody_reads(void **state)
{
	struct bench *b = &bench;

	set_up(b, true);
	close(b->command);
	b->command = -1;
	send_frame(b, HATCH_AGENT_DATA, "hello", 5);
	assert_int_equal(inflow_step(&b->in), STREAM_GOES_ON);
	assert_int_equal(b->in.sink, -1);
	assert_int_equal(inflow_step(&b->in), STREAM_GOES_ON);
	drain(b, b->host);
	assert_int_equal(b->size, FRAME_HEADER);
	assert_int_equal(frame_u32(b->got), HATCH_AGENT_CLOSED);
	send_frame(b, HATCH_AGENT_DATA, "more", 4);
	send_frame(b, HATCH_AGENT_END, NULL, 0);
	assert_int_equal(inflow_step(&b->in), STREAM_GOES_ON);
	assert_true(b->in.ended);
	tear_down(b, -1);
}

static void input_that_makes_no_sense(void **state)
{
	static const struct {
		uint32_t type, size;
	} frames[] = { { HATCH_AGENT_DATA, 0 },
		       { HATCH_AGENT_DATA, 65537 },
		       { HATCH_AGENT_END, 1 },
		       { HATCH_AGENT_CLOSED, 0 },
		       { 0, 0 },
		       { 0xffffffff, 1 } };
	struct bench *b = &bench;
	unsigned char header[8];

	for (size_t i = 0; i < COUNT_OF(frames); i++) {
		set_up(b, true);
		frame_header(header, frames[i].type, frames[i].size);
		assert_int_equal(write(b->host, header, 8), 8);
		assert_int_equal(inflow_step(&b->in), STREAM_BAD);
		tear_down(b, b->in.sink);
	}
	set_up(b, true);
	send_frame(b, HATCH_AGENT_END, NULL, 0);
	send_frame(b, HATCH_AGENT_DATA, "x", 1);
	assert_int_equal(inflow_step(&b->in), STREAM_BAD);
	tear_down(b, b->in.sink);
}

/* Random bytes, in random pieces: each ends in a state, none in a crash. */
static void random_input(void **state)
{
	unsigned char bytes[256];
	struct bench *b = &bench;
	size_t size;

	for (int i = 0; i < 5000; i++) {
		set_up(b, true);
		for (int k = 0; k < 10; k++) {
			size = random_below(sizeof(bytes));
			memset(bytes, 0, sizeof(bytes));
			frame_header(bytes, HATCH_AGENT_DATA, (uint32_t)random_below(300));
			for (size_t n = random_below(10); n; n--)
				bytes[random_below(size + 1) % 256] = (unsigned char)random_bits();
			(void)!write(b->host, bytes, size);
			if (inflow_step(&b->in) == STREAM_BAD)
				break;
			b->size = 0;
			drain(b, b->command);
		}
		tear_down(b, b->in.sink);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_framed),
		cmocka_unit_test(output_waits_for_the_host),
		cmocka_unit_test(closed_output_breaks_the_pipe),
		cmocka_unit_test(output_of_those_who_stay_is_not_waited_for),
		cmocka_unit_test(output_to_nobody),
		cmocka_unit_test(input_comes_through),
		cmocka_unit_test(input_that_nobody_reads),
		cmocka_unit_test(input_that_makes_no_sense),
		cmocka_unit_test(random_input),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
