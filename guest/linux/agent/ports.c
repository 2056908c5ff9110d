/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "guest.h"

enum {
	WAIT_STEP = 200,	  /* us */
	WAIT_MOST = 20 * 1000000, /* us: a machine may be busy */
	DEVICES = 8,		  /* a console's number among the devices is below that */
};

int ports[HATCH_AGENT_PORTS] = { -1, -1, -1, -1, -1 };

static void wait_step(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = WAIT_STEP * 1000 }, NULL);
}

static int open_port(int number)
{
	char path[64];
	int fd = -1;

	for (int device = 0; device < DEVICES && fd < 0; device++) {
		snprintf(path, sizeof(path), "/dev/vport%dp%d", device, number);
		fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	return fd;
}

/* A port reads as ended, and takes nothing, until the kernel has heard of its other side. */
static bool is_connected(int fd)
{
	struct pollfd wait = { fd, POLLIN, 0 };

	return poll(&wait, 1, 0) >= 0 && !(wait.revents & POLLHUP);
}

static bool try_port(int number)
{
	if (ports[number] < 0)
		ports[number] = open_port(number);
	return ports[number] >= 0 && is_connected(ports[number]);
}

void ports_open(void)
{
	device_probe(0);
	for (int waited = 0, number = HATCH_AGENT_CONTROL; number < HATCH_AGENT_PORTS; number++) {
		while (!try_port(number)) {
			if (waited >= WAIT_MOST)
				finisher_end(125, "no console with four ports in the first slot: "
						  "give the machine a virtio-serial-device there");
			wait_step();
			waited += WAIT_STEP;
		}
	}
}

static bool wait_to_write(int fd)
{
	struct pollfd wait = { fd, POLLOUT, 0 };

	return poll(&wait, 1, -1) >= 0 && !(wait.revents & POLLHUP);
}

bool ports_send(uint32_t type, const void *data, uint32_t size)
{
	unsigned char frame[FRAME_HEADER + 8 + sizeof(((struct problem *)0)->text)];
	size_t total = FRAME_HEADER + size, at = 0;
	int fd = ports[HATCH_AGENT_CONTROL];
	ssize_t put;

	if (size)
		memcpy(frame_header(frame, type, size), data, size);
	else
		frame_header(frame, type, 0);
	while (at < total) {
		put = write(fd, frame + at, total - at);
		if (put > 0)
			at += (size_t)put;
		else if ((errno != EAGAIN && errno != EINTR) || !wait_to_write(fd))
			return false;
	}
	return true;
}
