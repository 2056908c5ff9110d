/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "guest.h"

enum {
	SLOTS = 0x10001000, /* guest-physical */
	SLOT = 0x1000,
};

/* The driver may have the device already: then there is nothing to do. */
int device_probe(unsigned int slot)
{
	char name[32], path[96];

	snprintf(name, sizeof(name), "%x.virtio_mmio", SLOTS + slot * SLOT);
	snprintf(path, sizeof(path), "/sys/bus/platform/devices/%s", name);
	if (access(path, F_OK))
		return -1;
	file_write("/sys/bus/platform/drivers_probe", name);
	strcat(path, "/driver");
	return access(path, F_OK);
}

static int probe_devices(const struct setup *setup, struct problem *problem)
{
	for (unsigned int slot = 1; slot <= setup->devices; slot++)
		if (device_probe(slot))
			return problem_set(problem, "no virtio device in slot %u of the guest",
					   slot);
	return 0;
}

static int set_clock(const struct setup *setup, struct problem *problem)
{
	const struct timespec now = { .tv_sec = (time_t)(setup->clock / 1000000000),
				      .tv_nsec = (long)(setup->clock % 1000000000) };

	if (setup->has_clock && clock_settime(CLOCK_REALTIME, &now))
		return problem_set(problem, "cannot set the guest's clock");
	return 0;
}

/* What the kernel drew before the guest was saved is the same in all guests: it begins anew. */
static int seed_random(const struct setup *setup, struct problem *problem)
{
	struct {
		struct rand_pool_info info;
		unsigned char bytes[SETUP_SEED_MOST];
	} pool = { .info = { .entropy_count = (int)setup->seed_size * 8,
			     .buf_size = (int)setup->seed_size } };
	int fd, error;

	if (!setup->seed_size)
		return 0;
	memcpy(pool.info.buf, setup->seed, setup->seed_size);
	fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	error = fd < 0 || ioctl(fd, RNDADDENTROPY, &pool) || ioctl(fd, RNDRESEEDCRNG);
	close(fd);
	return error ? problem_set(problem, "cannot seed the guest's random numbers") : 0;
}

static int set_hostname(const struct setup *setup, struct problem *problem)
{
	if (setup->hostname && sethostname(setup->hostname, strlen(setup->hostname)))
		return problem_set(problem, "cannot set the host name '%s'", setup->hostname);
	return 0;
}

static int start_cpus(const struct setup *setup, struct problem *problem)
{
	char path[64];

	for (unsigned int cpu = 1; cpu < setup->cpus; cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/online", cpu);
		if (file_write(path, "1"))
			return problem_set(problem, "cannot start the guest's processor %u", cpu);
	}
	return 0;
}

int apply_setup(const struct setup *setup, struct problem *problem)
{
	if (set_clock(setup, problem) || seed_random(setup, problem) ||
	    set_hostname(setup, problem) || probe_devices(setup, problem) ||
	    start_cpus(setup, problem) || root_enter(setup, problem))
		return -1;
	return net_start(setup, problem);
}
