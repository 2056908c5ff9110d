/* SPDX-License-Identifier: MIT */
/*
 * The call form among others: functions of the host that a box asks for, boxes within boxes and
 * within tries.
 */
#include <string.h>

#include <hatch/board.h>
#include <hatch/call.h>

#include "world.h"

#define LIMIT UINT64_C(1000000) /* ticks: 0.1 s */

static struct hatch_box box, other;
static uint64_t hidden; /* no box may see it */
static struct world w;

static void begin(struct hatch_box *b)
{
	expect_equal(hatch_box_init(b, hatch_board_memory(), hatch_board_image(),
				    4 * HATCH_PAGE_SIZE, 0),
		     0);
}

static void end(struct hatch_box *b)
{
	expect_equal(hatch_box_fini(b), 0);
}

#define expect_value(value_, ...)                                                                  \
	({                                                                                         \
		struct hatch_call_result result_ = hatch_call(__VA_ARGS__);                        \
		char how_[160];                                                                    \
		check_that(result_.outcome == HATCH_DONE && result_.value == (uint64_t)(value_),   \
			   __LINE__, "%s", hatch_call_format(&result_, how_, sizeof(how_)));       \
	})

static int negate(int n)
{
	return -n;
}

static double scale(double x, double by)
{
	return x * by;
}

/* ---- Functions of the host -------------------------------------------------------------------- */

static char logged[32];

static int log_text(void *arg, struct hatch_box *from, const uint64_t args[7], uint64_t *answer)
{
	*answer = args[1] + args[6];
	return hatch_box_copy_text(from, (const char *)(uintptr_t)args[0], logged, sizeof(logged));
}

static uint64_t asker(const char *text)
{
	return hatch_ask("log", text, 40, 0, 0, 0, 0, 2);
}

static int call_again(void *arg, struct hatch_box *from, const uint64_t args[7], uint64_t *answer)
{
	volatile double kept = 0.75;

	expect_equal(hatch_call(from, negate, 1).error, HATCH_EBUSY);
	expect_equal(hatch_box_fini(from), HATCH_EBUSY);
	expect_equal(hatch_box_reset(from), HATCH_EBUSY);
	expect_equal(hatch_box_park(from), HATCH_EBUSY);
	expect_equal(hatch_box_limit(from, 0), HATCH_EBUSY);
	expect_value(-4, &other, negate, 4);
	expect(hatch_call(&other, scale, kept, 4.0).fvalue == 3.0);
	*answer = 5;
	return 0;
}

static double ask_between(double x)
{
	double before = x * 2;

	return before + (double)hatch_ask("again");
}

static void offers(void)
{
	begin(&box);
	begin(&other);
	expect_equal(hatch_box_offer(&box, "log", log_text, NULL), 0);
	expect_equal(hatch_box_offer(&box, "again", call_again, NULL), 0);
	expect_value(42, &box, asker, "written down");
	expect(!strcmp(logged, "written down"));
	expect(hatch_call(&box, ask_between, 1.25).fvalue == 7.5);
	expect_equal(hatch_call(&box, asker, (char *)&hidden).error, HATCH_EFAULT);
	expect_equal(hatch_box_reset(&box), 0);
	expect_equal(hatch_call(&other, asker, "not there").stop, HATCH_STOP_DENIED);
	end(&other);
	end(&box);
}

static uint64_t ask_and_spin(void)
{
	volatile uint64_t answer = hatch_ask("again");

	while (answer)
		;
	return answer;
}

/* The host's function uses a box with a limit of its own: that of the box that asked goes on. */
static void limits_nest(void)
{
	begin(&box);
	begin(&other);
	expect_equal(hatch_box_offer(&box, "again", call_again, NULL), 0);
	expect_equal(hatch_box_limit(&box, LIMIT), 0);
	expect_equal(hatch_box_limit(&other, 100 * LIMIT), 0);
	expect_equal(hatch_call(&box, ask_and_spin).stop, HATCH_STOP_LATE);
	end(&other);
	end(&box);
}

/* ---- Neighbours ------------------------------------------------------------------------------- */

GUEST(counting, "	li s1, 5\n"
		"1:	mv a0, s1\n"
		"	ask 1\n"
		"	add s2, s2, a0\n"
		"	addi s1, s1, -1\n"
		"	bnez s1, 1b\n"
		"	mv a0, s2\n"
		"	quit\n");

static enum hatch_verdict on_ask(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	return hatch_resume(k, -hatch_call(arg, negate, (int)ev->hypercall.arg[0]).value);
}

static void boxes_alternate(void)
{
	begin(&box);
	begin(&other);
	for (int i = 0; i < 10; i++) {
		expect_value(-i, &box, negate, i);
		expect_value(i, &other, negate, -i);
	}
	expect_equal(hatch_box_park(&other), 0);
	end(&box);
	expect_value(1, &other, negate, -1);
	end(&other);
}

/* A handler of a try calls into a box that rested on the hart when the try began. */
static void within_a_try(void)
{
	struct hatch_catch ask = HATCH_ON_HYPERCALL(WORLD_EID, on_ask, &box);

	begin(&box);
	expect_value(-1, &box, negate, 1);
	world_of(&w, counting);
	world_catch(&w, &ask);
	expect_done(&w, 15);
	expect_value(-1, &box, negate, 1);
	world_end(&w);
	end(&box);
}

static enum hatch_verdict on_last(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	end(arg);
	return hatch_finish(k, 3);
}

static void ended_within_a_try(void)
{
	struct hatch_catch last = HATCH_ON_HYPERCALL(WORLD_EID, on_last, &box);

	begin(&box);
	expect_value(-1, &box, negate, 1);
	world_of(&w, counting);
	world_catch(&w, &last);
	expect_done(&w, 3);
	begin(&box); /* where the old one was */
	expect_value(-1, &box, negate, 1);
	end(&box);
	world_end(&w);
}

static void between_pulls(void)
{
	const struct hatch_event *ev;

	begin(&box);
	world_of(&w, counting);
	while ((ev = hatch_try_next(&w.t))) {
		uint64_t n = ev->hypercall.arg[0];

		hatch_resume(hatch_try_cont(&w.t), -hatch_call(&box, negate, (int)n).value);
	}
	expect_outcome(&w, HATCH_DONE);
	expect_equal(w.t.status, 15);
	world_end(&w);
	end(&box);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(offers),	     CHECK(limits_nest),	CHECK(boxes_alternate),
		CHECK(within_a_try), CHECK(ended_within_a_try), CHECK(between_pulls),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
