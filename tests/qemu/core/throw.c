/* SPDX-License-Identifier: MIT */
/*
 * Handlers of calls that reach into the guest, and throw what they meet there.
 */
#include <hatch/access.h>
#include <hatch/handlers/demand.h>

#include "world.h"

#define PAGE 4096
#define LAZY UINT64_C(0x90000000) /* guest-physical: RAM without pages */

static struct world w;
static struct hatch_demand demand;

/* a1: an address; each call answers with what is there. Twice, for both roads of a call. */
GUEST(asks, "	ask 0\n"
	    "	mv s1, a0\n"
	    "	ask 0\n"
	    "	add a0, a0, s1\n"
	    "	fcvt.l.d a1, fa5\n"
	    "	add a0, a0, a1\n"
	    "	quit\n");

static enum hatch_verdict on_peek(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	hatch_gva at = hatch_gva_of(ev->hypercall.arg[1]);
	struct hatch_trap trap;
	uint64_t value = 0, f = 0;

	++*(unsigned int *)arg;
	expect_equal(hatch_cont_load(k, at, 3, &value, &trap), HATCH_EINVAL);
	if (hatch_cont_load(k, at, 8, &value, &trap))
		return hatch_throw(k, &trap);
	expect_equal(hatch_cont_store(k, at, 8, value + 1, &trap), 0);
	expect_equal(hatch_cont_get_f(k, 15, &f), 0);
	expect_equal(hatch_cont_get_f(k, 32, &f), HATCH_EINVAL);
	expect_equal(hatch_cont_set_f(k, 15, f ? f : UINT64_C(0x4059000000000000)), 0);
	return hatch_resume(k, value);
}

static void call_that_needs_a_page(void)
{
	unsigned int asked = 0;
	struct hatch_catch peek = HATCH_ON_HYPERCALL(WORLD_EID, on_peek, &asked);
	struct hatch_trap trap;
	uint64_t value;

	world_of(&w, asks);
	expect_equal(hatch_demand_init(&demand, &w.guest, hatch_gpa_of(LAZY), PAGE, PAGE, PAGE), 0);
	world_again(&w, 0, LAZY);
	world_catch(&w, &demand.clause);
	world_catch(&w, &peek);
	w.vcpu.vs.vsstatus |= SSTATUS_FS;
	expect_done(&w, 0 + 1 + 100);
	expect_equal(asked, 3);
	expect_equal(hatch_cont_load(&w.t.cont, hatch_gva_of(LAZY), 8, &value, &trap),
		     HATCH_ESTALE);
	hatch_demand_fini(&demand);
	world_end(&w);
}

static enum hatch_verdict on_throw(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_trap trap = { .scause = CAUSE_BREAKPOINT };

	(void)arg;
	(void)ev;
	return hatch_throw(k, &trap);
}

static void throw_of_another_kind(void)
{
	struct hatch_catch clause = HATCH_ON_HYPERCALL(WORLD_EID, on_throw, NULL);

	world_of(&w, asks);
	world_catch(&w, &clause);
	world_run(&w);
	expect_outcome(&w, HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EINVAL);
	world_end(&w);
}

/* Pull form: the thrown event is the next that the caller gets. */
static void throw_from_a_loop(void)
{
	const struct hatch_trap trap = { .scause = CAUSE_LOAD_GUEST_PAGE_FAULT,
					 .stval = WORLD_DEVICE,
					 .htval = WORLD_DEVICE >> 2 };
	const struct hatch_event *ev;

	world_of(&w, asks);
	ev = hatch_try_next(&w.t);
	expect(ev && ev->kind == HATCH_HYPERCALL);
	expect_equal(hatch_throw(hatch_try_cont(&w.t), &trap), HATCH_THROW);
	ev = hatch_try_next(&w.t);
	expect(ev && ev->kind == HATCH_FAULT && ev->fault.cause == CAUSE_LOAD_GUEST_PAGE_FAULT);
	expect_equal(hatch_throw(hatch_try_cont(&w.t), &trap), HATCH_THROW);
	expect(!hatch_try_next(&w.t));
	expect_outcome(&w, HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EVERDICT);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(call_that_needs_a_page),
		CHECK(throw_of_another_kind),
		CHECK(throw_from_a_loop),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
