/* SPDX-License-Identifier: MIT */
#include "serial.h"

#include <errno.h>
#include <unistd.h>

enum { LINE, COMPLAINTS, CONSOLE };

void hatch_serial_prepare(const struct hatch_serial *serial, struct pollfd *place)
{
	const int *output = serial->launched->output;
	bool waits = serial->start < serial->end;

	place[LINE] = (struct pollfd){ waits ? -1 : output[0], POLLIN, 0 };
	place[COMPLAINTS] = (struct pollfd){ output[1], POLLIN, 0 };
	place[CONSOLE] = (struct pollfd){ waits ? serial->console->fd : -1, POLLOUT, 0 };
}

static void read_line(struct hatch_serial *serial)
{
	int *fd = &serial->launched->output[0];
	ssize_t size = read(*fd, serial->data, sizeof(serial->data));

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		hatch_close(fd);
		return;
	}
	hatch_launch_note(serial->launched, serial->data, (size_t)size);
	serial->start = 0;
	serial->end = serial->console->kind == HATCH_END_NONE ? 0 : (size_t)size;
}

/* A console that takes nothing any more is no reason to stop. */
static void write_console(struct hatch_serial *serial)
{
	ssize_t size = hatch_end_write(serial->console, serial->data + serial->start,
				       serial->end - serial->start);

	if (size >= 0)
		serial->start += (size_t)size;
	else if (errno != EAGAIN && errno != EINTR)
		serial->start = serial->end;
}

void hatch_serial_serve(struct hatch_serial *serial, const struct pollfd *place)
{
	struct hatch_launched *launched = serial->launched;

	if (place[LINE].revents)
		read_line(serial);
	if (place[COMPLAINTS].revents &&
	    hatch_tail_read(&launched->said[1], launched->output[1]) < 0)
		hatch_close(&launched->output[1]);
	if (serial->start < serial->end)
		write_console(serial);
}
