/* SPDX-License-Identifier: MIT */
/* What a running machine says outside of the ports, and the console that may want to see it. */
#ifndef HATCH_LIBRARY_SERIAL_H
#define HATCH_LIBRARY_SERIAL_H

#include <poll.h>

#include "end.h"
#include "launch.h"

/* data[start..end): bytes of the serial line that the console has not taken yet. */
struct hatch_serial {
	struct hatch_launched *launched;
	struct hatch_end *console;
	size_t start, end;
	char data[4096];
};

enum { HATCH_SERIAL_PLACES = 3 }; /* of a poll set */

void hatch_serial_prepare(const struct hatch_serial *serial, struct pollfd *place);
void hatch_serial_serve(struct hatch_serial *serial, const struct pollfd *place);

#endif
