/* SPDX-License-Identifier: MIT */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "session.h"

enum {
	ESCAPE = 0x01,	    /* Ctrl-A, as in QEMU */
	END_OF_FILE = 0x04, /* Ctrl-D, at the start of a line */
	/* A pipe that is ready takes this much without blocking. */
	WRITE_MOST = 4096,
};

/* Bytes read and not yet written: data[start..end). */
struct queue {
	size_t start;
	size_t end;
	char data[64 * 1024];
};

struct state {
	struct hatch_relay *relay;
	struct timespec deadline;
	struct queue input;  /* standard input to machine */
	struct queue output; /* machine to standard output */
	bool terminal;	     /* standard input is one, and raw */
	bool escape;	     /* the last key was Ctrl-A */
	bool input_ended;
	bool output_ended;
	bool errors_ended;
	bool left; /* the user has had enough */
	char last; /* last byte of input sent */
};

/* The places of the poll set. */
enum { STDIN, TO_MACHINE, FROM_MACHINE, STDOUT, ERRORS, PLACES };

static const char help_text[] = "\r\nCtrl-A X  leave, and switch the machine off\r\n"
				"Ctrl-A Ctrl-A  send a Ctrl-A\r\nCtrl-A H  this help\r\n";

static size_t queued(const struct queue *queue)
{
	return queue->end - queue->start;
}

static size_t room(const struct queue *queue)
{
	return sizeof(queue->data) - queued(queue);
}

/* Makes the free space one piece at the end. */
static void compact(struct queue *queue)
{
	memmove(queue->data, queue->data + queue->start, queued(queue));
	queue->end -= queue->start;
	queue->start = 0;
}

static bool is_open(const struct state *state)
{
	return state->relay->marker[state->relay->read_after].seen;
}

static void send_byte(struct state *state, char byte)
{
	state->input.data[state->input.end++] = byte;
	state->last = byte;
}

/* A key of a raw terminal: Ctrl-A begins a command to us. */
static void take_key(struct state *state, char key)
{
	if (!state->escape) {
		state->escape = key == ESCAPE;
		if (!state->escape)
			send_byte(state, key);
		return;
	}
	state->escape = false;
	if (key == ESCAPE)
		send_byte(state, key);
	else if (key == 'x' || key == 'X')
		state->left = true;
	else if (key == 'h' || key == 'H' || key == '?')
		fputs(help_text, stderr);
}

/* A terminal takes Ctrl-D for an end only at the start of a line; the first one ends the line. */
static void end_input(struct state *state)
{
	state->input_ended = true;
	if (!state->relay->batch)
		return;
	if (state->last && state->last != '\n')
		send_byte(state, END_OF_FILE);
	send_byte(state, END_OF_FILE);
}

/* Two bytes stay free for end_input(). */
static void read_input(struct state *state)
{
	char data[4096];
	size_t most = room(&state->input) - 2;
	ssize_t size = read(STDIN_FILENO, data, most < sizeof(data) ? most : sizeof(data));

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	compact(&state->input);
	if (size <= 0)
		end_input(state);
	for (ssize_t i = 0; i < size; i++) {
		if (state->terminal)
			take_key(state, data[i]);
		else
			send_byte(state, data[i]);
	}
}

static void write_input(struct state *state)
{
	struct queue *queue = &state->input;
	ssize_t size = write(state->relay->to_machine, queue->data + queue->start, queued(queue));

	if (size > 0) {
		queue->start += size;
	} else if (errno != EINTR && errno != EAGAIN) {
		/* The machine is going: its output and its status say more than this. */
		queue->start = queue->end;
		state->input_ended = true;
	}
}

/* Drops what the markers hold back. The next marker is sought after the one before it. */
static void read_output(struct state *state)
{
	struct queue *queue = &state->output;
	ssize_t size = read(state->relay->from_machine, queue->data, sizeof(queue->data));
	size_t past = 0; /* bytes up to the end of the last marker so far */

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	queue->start = 0;
	queue->end = size > 0 ? size : 0;
	state->output_ended = size <= 0;
	for (int i = 0; i < HATCH_RELAY_STAGES; i++) {
		past += hatch_marker_feed(&state->relay->marker[i], queue->data + past,
					  queue->end - past);
		if (i <= (int)state->relay->show_after)
			queue->start = past;
	}
}

static void write_output(struct state *state)
{
	struct queue *queue = &state->output;
	size_t most = queued(queue) < WRITE_MOST ? queued(queue) : WRITE_MOST;
	ssize_t size = write(STDOUT_FILENO, queue->data + queue->start, most);

	if (size > 0) {
		queue->start += size;
	} else if (errno == EPIPE) {
		exit(128 + SIGPIPE); /* as if it had killed us: the reader has seen enough */
	} else if (errno != EINTR && errno != EAGAIN) {
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot write to standard output: %m");
	}
}

/* Before the machine has come up its complaints are kept: they matter if it never does. */
static void read_errors(struct state *state)
{
	struct hatch_relay *relay = state->relay;
	char data[4096];
	ssize_t size = read(relay->errors, data, sizeof(data));

	if (size < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	state->errors_ended = size <= 0;
	if (relay->marker[0].seen) {
		fwrite(data, 1, size > 0 ? size : 0, stderr);
		return;
	}
	for (ssize_t i = 0; i < size && relay->complaint_length < sizeof(relay->complaint); i++)
		relay->complaint[relay->complaint_length++] = data[i];
}

/* A place with a negative descriptor is skipped by poll(). */
static void prepare(const struct state *state, struct pollfd *place)
{
	bool reads = is_open(state) && !state->input_ended && room(&state->input) > 2;
	bool writes = queued(&state->output);

	place[STDIN] = (struct pollfd){ reads || state->terminal ? STDIN_FILENO : -1, POLLIN, 0 };
	place[TO_MACHINE] = (struct pollfd){ state->relay->to_machine, POLLOUT, 0 };
	place[FROM_MACHINE] = (struct pollfd){ state->relay->from_machine, POLLIN, 0 };
	place[STDOUT] = (struct pollfd){ writes ? STDOUT_FILENO : -1, POLLOUT, 0 };
	place[ERRORS] = (struct pollfd){ state->relay->errors, POLLIN, 0 };
	if (state->input_ended || room(&state->input) <= 2)
		place[STDIN].fd = -1;
	if (!queued(&state->input) || !is_open(state))
		place[TO_MACHINE].fd = -1;
	if (writes || state->output_ended)
		place[FROM_MACHINE].fd = -1;
	if (state->errors_ended)
		place[ERRORS].fd = -1;
}

static void serve(struct state *state, const struct pollfd *place)
{
	if (place[STDIN].revents)
		read_input(state);
	if (place[TO_MACHINE].revents)
		write_input(state);
	if (place[FROM_MACHINE].revents)
		read_output(state);
	if (place[STDOUT].revents)
		write_output(state);
	if (place[ERRORS].revents)
		read_errors(state);
}

/* Time left as ppoll() wants it; NULL means for ever. False when none is left. */
static bool time_left(const struct state *state, struct timespec *left)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = state->deadline.tv_sec - now.tv_sec;
	left->tv_nsec = state->deadline.tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000;
	}
	return left->tv_sec >= 0;
}

static void set_deadline(struct state *state, double seconds)
{
	clock_gettime(CLOCK_MONOTONIC, &state->deadline);
	state->deadline.tv_sec += (time_t)seconds;
	state->deadline.tv_nsec += (long)((seconds - (time_t)seconds) * 1e9);
	if (state->deadline.tv_nsec >= 1000000000) {
		state->deadline.tv_sec++;
		state->deadline.tv_nsec -= 1000000000;
	}
}

static bool finished(const struct state *state)
{
	return state->output_ended && state->errors_ended && !queued(&state->output);
}

enum hatch_relay_end hatch_relay_run(struct hatch_relay *relay)
{
	static struct state state; /* 128 KiB, and one relay per process */
	struct pollfd place[PLACES];
	struct timespec left;

	state = (struct state){ .relay = relay };
	state.terminal = !relay->batch && hatch_session_terminal();
	set_deadline(&state, relay->timeout);
	fcntl(relay->to_machine, F_SETFL, O_NONBLOCK);
	while (!finished(&state)) {
		if (relay->timeout > 0 && !time_left(&state, &left))
			return HATCH_RELAY_TIMEOUT;
		prepare(&state, place);
		if (ppoll(place, PLACES, relay->timeout > 0 ? &left : NULL, hatch_session_mask()) >=
		    0)
			serve(&state, place);
		hatch_session_check();
		if (state.left)
			return HATCH_RELAY_LEFT;
	}
	return HATCH_RELAY_ENDED;
}
