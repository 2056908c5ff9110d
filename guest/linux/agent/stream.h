/* SPDX-License-Identifier: MIT */
/*
 * The streams of a command: bytes between a descriptor that is the command's other end, and a port
 * that has them in frames. All descriptors are non-blocking. A step moves what can be moved now,
 * within bounds, and `wait` says what to poll for. Built natively, too.
 */
#ifndef AGENT_STREAM_H
#define AGENT_STREAM_H

#include <poll.h>

#include "frame.h"

enum {
	STREAM_OUT = 32768, /* what a port takes at once */
	STREAM_IN = 2 * (65536 + FRAME_HEADER),
	STREAM_UNBOUNDED = -1,
};

/* Why a step ended for good. */
enum stream_state {
	STREAM_GOES_ON,
	STREAM_LOST, /* the port's other side is gone */
	STREAM_BAD,  /* a frame that cannot be */
};

/* To the host. It is done when END has been written. */
struct outflow {
	int source, port; /* source: -1 when no more will be read */
	bool lost;	  /* the port's other side is gone */
	bool deaf;	  /* what comes from the port is not looked at */
	bool end_put, done;
	long bound; /* bytes that are still to be read, or STREAM_UNBOUNDED */
	size_t start, end;
	struct inbox in; /* for CLOSED */
	unsigned char in_bytes[64];
	unsigned char bytes[STREAM_OUT];
};

/* To the command. */
struct inflow {
	int port, sink;	     /* -1: closed */
	bool terminal;	     /* the end is typed, again and again, and not closed */
	bool open_line;	     /* a terminal's last line is not ended yet */
	bool ended;	     /* END came */
	int pause;	     /* ms until a terminal gets its end typed again; 0: not typed yet */
	unsigned int closed; /* bytes of a CLOSED that are not written yet */
	uint32_t left;	     /* data of the frame that has begun */
	struct inbox in;
	unsigned char bytes[STREAM_IN];
};

void outflow_init(struct outflow *flow, int source, int port);
enum stream_state outflow_step(struct outflow *flow);
/* [0]: the source, [1]: the port. */
void outflow_wait(const struct outflow *flow, struct pollfd wait[2]);
/* The command has ended: what stands in the pipe, or terminal, is passed on, and no more than that. */
void outflow_finish(struct outflow *flow, bool is_pipe);

void inflow_init(struct inflow *flow, int port, int sink, bool terminal);
enum stream_state inflow_step(struct inflow *flow);
/* [0]: the sink, [1]: the port. */
void inflow_wait(const struct inflow *flow, struct pollfd wait[2]);
/* A terminal has told one reader of the end: the next one shall not wait for ever. */
void inflow_type_again(struct inflow *flow);
/* Nobody reads any more: the host is told, and what comes is dropped. */
void inflow_close(struct inflow *flow);

#endif
