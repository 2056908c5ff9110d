/* SPDX-License-Identifier: MIT */
/*
 * An extension of my own: three functions, a clause for each, values in both directions.
 */
#include "demo.h"

static enum hatch_verdict on_add(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_resume(k, ev->hypercall.arg[0] + ev->hypercall.arg[1]);
}

/* Two answers: an error in a0 and the quotient in a1, as SBI calls do it. */
static enum hatch_verdict on_divide(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint64_t a = ev->hypercall.arg[0], b = ev->hypercall.arg[1];
	unsigned int *refused = arg;

	if (b)
		return hatch_resume_pair(k, 0, a / b);
	++*refused;
	return hatch_resume_pair(k, (uint64_t)-1, 0);
}

static enum hatch_verdict on_show(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	printf("the guest shows %llu\n", demo_number(ev->hypercall.arg[0]));
	return hatch_resume(k, 0);
}

int main(void)
{
	static struct demo demo;
	unsigned int refused = 0;
	struct hatch_catch clauses[] = {
		HATCH_ON_HYPERCALL_FUNCTION(HATCH_DEMO_EID, HATCH_DEMO_ADD, on_add, NULL),
		HATCH_ON_HYPERCALL_FUNCTION(HATCH_DEMO_EID, HATCH_DEMO_DIVIDE, on_divide, &refused),
		HATCH_ON_HYPERCALL_FUNCTION(HATCH_DEMO_EID, HATCH_DEMO_SHOW, on_show, NULL),
	};

	demo_begin(&demo);
	for (size_t i = 0; i < sizeof(clauses) / sizeof(clauses[0]); i++)
		demo_catch(&demo, &clauses[i]);
	hatch_try_run(&demo.t);
	printf("divisions refused: %u\n", refused);
	return demo_end(&demo);
}
