/* SPDX-License-Identifier: MIT */
/*
 * Try, fail, everything undone: an update that breaks off half-way leaves no trace, neither in the
 * guest's memory and registers nor in the device that it has begun to change.
 */
#include <string.h>

#include "demo.h"
#include "update.h"

enum { IDLE = 1, BROKEN };

struct host {
	struct demo demo;
	uint32_t dial[DIALS]; /* the device */
	hatch_gpa settings;   /* where the guest has them */
	bool offered;	      /* there is an update: version 2, values 11, 21, 31, 41 */
	uint32_t damaged;     /* the part of it that is; DIALS: none */
};

static void show(struct host *host, const char *when)
{
	struct settings s;

	if (hatch_guest_read(&host->demo.guest, host->settings, &s, sizeof(s))) {
		printf("%-16s the guest has no settings where it said\n", when);
		return;
	}
	printf("%-16s version %d, settings and dials:", when, (int)s.version);
	for (int i = 0; i < DIALS; i++)
		printf(" %d/%d", (int)s.value[i], (int)host->dial[i]);
	printf("\n");
}

static enum hatch_verdict on_dial(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint32_t *dial = (uint32_t *)arg + ev->mmio.offset / 4;

	if (ev->mmio.width != 4 || ev->mmio.offset % 4)
		return HATCH_PASS;
	if (ev->mmio.write)
		*dial = (uint32_t)ev->mmio.value;
	return hatch_resume(k, *dial);
}

/* What the device knows, for whoever wants to keep it and to put it back. */
static void save_dials(void *arg, void *to)
{
	memcpy(to, arg, sizeof(uint32_t[DIALS]));
}

static int restore_dials(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	memcpy(arg, from, sizeof(uint32_t[DIALS]));
	return 0;
}

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct host *host = arg;
	uint32_t dial = (uint32_t)ev->hypercall.arg[0], value = 11 + 10 * dial;
	uint32_t sum = update_checksum(dial, value);

	switch (ev->hypercall.function) {
	case UPDATE_NEXT: /* without an update the try is left: the guest will ask once more */
		host->settings = hatch_gpa_of(ev->hypercall.arg[0]);
		return host->offered ? hatch_resume(k, 2) : hatch_unwind(k, IDLE);
	case UPDATE_PART:
		return hatch_resume_pair(k, value, sum ^ (dial == host->damaged));
	default:
		show(host, "broken off:");
		return hatch_unwind(k, BROKEN);
	}
}

int main(void)
{
	static struct host host = { .damaged = 2 };
	struct hatch_catch call = HATCH_ON_HYPERCALL(UPDATE_EID, on_call, &host);
	struct hatch_catch dials = HATCH_ON_MMIO(DIALS_AT, sizeof(host.dial), on_dial, host.dial);
	struct hatch_state state = {
		.name = "dials",
		.version = 1,
		.size = sizeof(host.dial),
		.save = save_dials,
		.restore = restore_dials,
		.arg = host.dial,
	};

	demo_begin(&host.demo);
	demo_catch(&host.demo, &call);
	demo_catch(&host.demo, &dials);
	demo_need(hatch_state_add(&host.demo.t.scope, &state), "dials");
	hatch_try_run(&host.demo.t);
	show(&host, "before:");

	host.demo.t.transactional = true;
	host.offered = true;
	hatch_try_run(&host.demo.t);
	show(&host, "undone:");

	host.damaged = DIALS;
	hatch_try_run(&host.demo.t);
	show(&host, "with good parts:");
	return demo_end(&host.demo);
}
