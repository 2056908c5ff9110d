/* SPDX-License-Identifier: MIT */
/*
 * Clauses in two scopes. The inner one is asked first and may pass; it leaves the try with a
 * value; without it the same guest goes on from the very call that left.
 */
#include "demo.h"

/* Watches, and leaves the answer to the scope around it. */
static enum hatch_verdict on_watch(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)k;
	printf("inner: the guest wants to show %llu, pass\n", demo_number(ev->hypercall.arg[0]));
	return HATCH_PASS;
}

/* Like a C++ throw: the value arrives where hatch_try_run was called. */
static enum hatch_verdict on_risky(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	return hatch_unwind(k, (long)ev->hypercall.arg[0]);
}

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	if (ev->hypercall.function == HATCH_DEMO_RISKY)
		return hatch_resume(k, ev->hypercall.arg[0] * 7);
	printf("outer: the guest shows %llu\n", demo_number(ev->hypercall.arg[0]));
	return hatch_resume(k, 0);
}

/* The instruction is the guest's own fault: its own handler shall have it. */
static enum hatch_verdict on_illegal(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	printf("outer: an illegal instruction, back to the guest\n");
	return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, ev->illegal.encoding);
}

static void on_leave(void *arg)
{
	printf("finally: the %s scope is left\n", (const char *)arg);
}

int main(void)
{
	static struct demo demo;
	struct hatch_catch call = HATCH_ON_HYPERCALL(HATCH_DEMO_EID, on_call, NULL);
	struct hatch_catch illegal = HATCH_ON_ILLEGAL(0, 0, on_illegal, NULL);
	struct hatch_catch watch =
		HATCH_ON_HYPERCALL_FUNCTION(HATCH_DEMO_EID, HATCH_DEMO_SHOW, on_watch, NULL);
	struct hatch_catch risky =
		HATCH_ON_HYPERCALL_FUNCTION(HATCH_DEMO_EID, HATCH_DEMO_RISKY, on_risky, NULL);
	struct hatch_finally finally = { .run = on_leave, .arg = "inner" };
	struct hatch_scope inner;

	demo_begin(&demo);
	demo_catch(&demo, &call);
	demo_catch(&demo, &illegal);
	hatch_scope_init(&inner, "inner", NULL);
	demo_need(hatch_catch_add(&inner, &watch), "watch");
	demo_need(hatch_catch_add(&inner, &risky), "risky");
	demo_need(hatch_finally_add(&inner, &finally), "finally");
	demo_need(hatch_scope_enter(&demo.t, &inner), "enter");
	if (hatch_try_run(&demo.t) != HATCH_UNWOUND)
		return demo_end(&demo);
	printf("unwound with %ld, once more without the inner scope\n", demo.t.status);
	demo_need(hatch_scope_leave(&demo.t), "leave");
	hatch_try_run(&demo.t);
	return demo_end(&demo);
}
