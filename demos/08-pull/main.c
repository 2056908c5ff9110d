/* SPDX-License-Identifier: MIT */
/*
 * The guest of 03-hypercall in the pull form: one event for each call, answered by the caller.
 * Who has written a loop around ioctl(vcpu, KVM_RUN) knows its shape.
 */
#include "demo.h"

static void answer_call(const struct hatch_event *ev, struct hatch_cont *k)
{
	const uint64_t *arg = ev->hypercall.arg;

	switch (ev->hypercall.function) {
	case HATCH_DEMO_ADD:
		hatch_resume(k, arg[0] + arg[1]);
		break;
	case HATCH_DEMO_DIVIDE:
		if (arg[1])
			hatch_resume_pair(k, 0, arg[0] / arg[1]);
		else
			hatch_resume_pair(k, (uint64_t)-1, 0);
		break;
	case HATCH_DEMO_SHOW:
		printf("the guest shows %llu\n", demo_number(arg[0]));
		hatch_resume(k, 0);
		break;
	}
}

/* An event that gets no answer here ends the try as uncaught. */
static void answer(const struct hatch_event *ev, struct hatch_cont *k)
{
	if (ev->kind == HATCH_HYPERCALL && ev->hypercall.extension == HATCH_DEMO_EID)
		answer_call(ev, k);
}

int main(void)
{
	static struct demo demo;
	const struct hatch_event *ev;
	unsigned int events = 0;

	demo_begin(&demo);
	while ((ev = hatch_try_next(&demo.t))) {
		events++;
		answer(ev, hatch_try_cont(&demo.t));
	}
	printf("events pulled: %u\n", events);
	return demo_end(&demo);
}
