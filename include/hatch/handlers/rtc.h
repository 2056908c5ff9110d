/* SPDX-License-Identifier: MIT */
/*
 * The goldfish real-time clock, as a clause: nanoseconds since 1970, and an alarm.
 */
#ifndef HATCH_HANDLERS_RTC_H
#define HATCH_HANDLERS_RTC_H

#include <hatch/catch.h>
#include <hatch/lock.h>

#define HATCH_RTC_SIZE	0x1000	   /* bytes of guest-physical address space */
#define HATCH_RTC_NEVER UINT64_MAX /* a time that does not come */

/*
 * The user owns it and fills the sinks after hatch_rtc_init; `now` is needed, the others may be
 * NULL. `lock` guards all but the sinks, taken by the clause, the state and the functions below.
 * The sinks are called with it held: they call nothing of the clock.
 * Invariants: the guest's time is now + offset (modulo 2^64); an alarm is either armed or has
 * gone off; `level` is high exactly if it went off, was not cleared, and interrupts are enabled.
 */
struct hatch_rtc {
	/* The host's time, nanoseconds since 1970. */
	uint64_t (*now)(void *arg);
	/*
	 * Asks for a call of hatch_rtc_poll at host time `ns` or soon after; HATCH_RTC_NEVER takes
	 * the last request back. `vcpu`: on whose hart we are; NULL at a reset. Without it the alarm
	 * goes off when the guest next looks.
	 */
	void (*arm)(void *arg, struct hatch_vcpu *vcpu, uint64_t ns);
	void *arg;
	/* The interrupt line changes. */
	void (*line)(void *arg, bool level);
	void *line_arg;

	struct hatch_lock lock;
	uint64_t offset;		/* the guest may set its clock */
	uint64_t alarm;			/* the guest's time */
	uint32_t time_high, alarm_high; /* latched by the access to the other half */
	bool armed, rung, enabled;
	bool level;
	struct hatch_catch clause;
	/*
	 * The registers. Time goes on with the host's clock while they are put away. When they are
	 * put back, `line` is told its level and `arm` the alarm anew; one that is overdue goes off
	 * at the next hatch_rtc_poll.
	 */
	struct hatch_state state;
};

/*
 * A clock at guest-physical `base`. Add rtc->clause to a scope, and rtc->state if the guest may be
 * cloned, rolled back or saved.
 */
void hatch_rtc_init(struct hatch_rtc *rtc, hatch_gpa base);

/* No alarm, no interrupt. The time stays. Call it when the guest is restarted. */
void hatch_rtc_reset(struct hatch_rtc *rtc);

/* Lets a due alarm go off. Calling it too early or too often does no harm. */
void hatch_rtc_poll(struct hatch_rtc *rtc);

/*
 * Writes the node into a tree that is being written with libfdt's sequential calls, within a bus
 * node of two address and two size cells. The clock interrupts as `source` of the interrupt
 * controller with phandle `parent`. Errors: those of libfdt (negative).
 */
int hatch_rtc_fdt(const struct hatch_rtc *rtc, void *fdt, uint32_t parent, uint32_t source);

#endif
