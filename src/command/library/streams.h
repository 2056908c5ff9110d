/* SPDX-License-Identifier: MIT */
/*
 * The program's three streams, each between a port and the place where it leaves us. Each holds one
 * frame at most: who does not take it makes the port wait, and so the program in the guest.
 */
#ifndef HATCH_LIBRARY_STREAMS_H
#define HATCH_LIBRARY_STREAMS_H

#include <poll.h>

#include "end.h"
#include "frames.h"

/* Standard input. */
struct hatch_source {
	int port;
	struct hatch_end *end;
	const struct hatch_bytes *bytes; /* what to send in place of it; NULL: the end's */
	size_t taken;			 /* of these */
	bool open;			 /* the program runs: the guest wants data */
	bool ended;			 /* END is on its way, or has been sent */
	size_t sent, size;		 /* of `frame` */
	uint8_t frame[HATCH_FRAME_MOST];
	struct hatch_inlet inlet; /* the guest says CLOSED at most */
};

/* Standard output, or error. */
struct hatch_sink {
	int port;
	struct hatch_end *end;
	struct hatch_bytes *collect; /* keeps it in place of the end; NULL: not */
	bool ended;		     /* the guest has said END */
	bool closed;		     /* nobody reads it any more: what comes is dropped */
	int error;		     /* errno: it could not be written */
	bool moved;		     /* since this was last made false */
	struct hatch_outlet outlet;  /* we say CLOSED at most */
	struct hatch_inlet inlet;
};

enum { HATCH_PLACES = 2 }; /* of a poll set, for each: the port and the end */

/* *ms is lowered when there is something to look at later that poll() does not tell. */
void hatch_source_prepare(struct hatch_source *source, struct pollfd *place, int *ms);
void hatch_source_serve(struct hatch_source *source, const struct pollfd *place,
			struct hatch_problem *problem);

void hatch_sink_prepare(struct hatch_sink *sink, struct pollfd *place);
void hatch_sink_serve(struct hatch_sink *sink, const struct pollfd *place,
		      struct hatch_problem *problem);

/* Nothing is to come any more, and nothing is left to be passed on. */
bool hatch_sink_done(const struct hatch_sink *sink);

/* Bytes wait for the end to take them. */
bool hatch_sink_waits(const struct hatch_sink *sink);

/* A frame that makes no sense: EMACHINE. */
int hatch_frame_refuse(const char *where, const struct hatch_agent_frame *frame,
		       struct hatch_problem *problem);

#endif
