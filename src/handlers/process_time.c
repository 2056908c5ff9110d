/* SPDX-License-Identifier: MIT */
/* A process's system calls about time. */
#include "process_internal.h"

enum {
	CLOCKS = 12, /* all of them show the same time */
	ABSOLUTE = 1,
	NS_PER_US = 1000,
};

#define NS_PER_S UINT64_C(1000000000)

struct timespec64 {
	int64_t seconds, ns;
};

uint64_t process_now(const struct hatch_process *p)
{
	return p->config.clock ? p->config.clock(p->config.arg) : 0;
}

int64_t process_clock_gettime(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t now = process_now(p);
	const struct timespec64 time = { (int64_t)(now / NS_PER_S), (int64_t)(now % NS_PER_S) };

	return a[0] < CLOCKS ? process_copy_out(p, a[1], &time, sizeof(time)) : -LINUX_EINVAL;
}

int64_t process_clock_getres(struct hatch_process *p, const uint64_t a[8])
{
	const struct timespec64 time = { 0, 1 };

	if (a[0] >= CLOCKS)
		return -LINUX_EINVAL;
	return a[1] ? process_copy_out(p, a[1], &time, sizeof(time)) : 0;
}

int64_t process_gettimeofday(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t now = process_now(p);
	const int64_t time[2] = { (int64_t)(now / NS_PER_S),
				  (int64_t)(now % NS_PER_S / NS_PER_US) };

	return a[0] ? process_copy_out(p, a[0], time, sizeof(time)) : 0;
}

/*
 * A handler must not wait, so the program does: it makes the same call again and again until its
 * time has come. Interrupts and deadlines come in between.
 */
static int64_t sleep_until(struct hatch_process *p, uint64_t from, bool absolute)
{
	struct hatch_process_state *s = &p->state;
	struct timespec64 time;
	uint64_t now = process_now(p);
	int error = process_copy_in(p, from, &time, sizeof(time));

	if (error)
		return error;
	if (time.seconds < 0 || time.ns < 0 || time.ns >= (int64_t)NS_PER_S)
		return -LINUX_EINVAL;
	if (!s->wake) {
		uint64_t most = UINT64_MAX / NS_PER_S / 4, seconds = (uint64_t)time.seconds;

		s->wake = (seconds < most ? seconds : most) * NS_PER_S + (uint64_t)time.ns +
			  (absolute ? 0 : now);
	}
	if (p->config.clock && now < s->wake)
		return PROCESS_AGAIN;
	s->wake = 0;
	return 0;
}

int64_t process_nanosleep(struct hatch_process *p, const uint64_t a[8])
{
	return sleep_until(p, a[0], false);
}

int64_t process_clock_nanosleep(struct hatch_process *p, const uint64_t a[8])
{
	return a[0] < CLOCKS ? sleep_until(p, a[2], a[1] & ABSOLUTE) : -LINUX_EINVAL;
}
