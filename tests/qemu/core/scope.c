/* SPDX-License-Identifier: MIT */
/*
 * Which clause answers: order of scopes, and the fast path against the long road.
 */
#include <hatch/board.h>

#include "world.h"

#define MANY 1000

static struct world w;
static struct hatch_scope inner;
static struct hatch_catch many[MANY];

/* Calls functions 2, 1, 2, 1, ... of WORLD_EID, six calls; the answers are the digits of a0. */
GUEST(alternate, "	li s1, 3\n"
		 "	li s2, 0\n"
		 "	li s3, 10\n"
		 "1:	ask 2\n"
		 "	mul s2, s2, s3\n"
		 "	add s2, s2, a0\n"
		 "	ask 1\n"
		 "	mul s2, s2, s3\n"
		 "	add s2, s2, a0\n"
		 "	addi s1, s1, -1\n"
		 "	bnez s1, 1b\n"
		 "	mv a0, s2\n"
		 "	quit\n");

static enum hatch_verdict on_digit(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	return hatch_resume(k, (uintptr_t)arg);
}

#define DIGIT(n) ((void *)(uintptr_t)(n))

static void enter_inner(struct hatch_catch *clause)
{
	hatch_scope_init(&inner, "inner", NULL);
	expect_equal(hatch_catch_add(&inner, clause), 0);
	expect_equal(hatch_scope_enter(&w.t, &inner), 0);
}

/* The outer clause has answered function 2 by the fast path when function 1 comes. */
static void inner_function_is_asked_first(void)
{
	struct hatch_catch all = HATCH_ON_HYPERCALL(WORLD_EID, on_digit, DIGIT(7));
	struct hatch_catch one = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 1, on_digit, DIGIT(4));

	world_of(&w, alternate);
	world_catch(&w, &all);
	enter_inner(&one);
	expect_done(&w, 747474);
	world_end(&w);
}

static void left_scope_is_not_asked(void)
{
	struct hatch_catch all = HATCH_ON_HYPERCALL(WORLD_EID, on_digit, DIGIT(7));
	struct hatch_catch one = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 1, on_digit, DIGIT(4));

	world_of(&w, alternate);
	world_catch(&w, &all);
	enter_inner(&one);
	expect_equal(hatch_scope_leave(&w.t), 0);
	expect_equal(hatch_scope_leave(&w.t), HATCH_ENOENT);
	expect_done(&w, 777777);
	world_end(&w);
}

static enum hatch_verdict on_watch(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	(void)k;
	++*(unsigned int *)arg;
	return HATCH_PASS;
}

static void passing_clauses_are_asked_every_time(void)
{
	unsigned int by_key = 0, by_any = 0, outside = 0;
	struct hatch_catch all = HATCH_ON_HYPERCALL(WORLD_EID, on_digit, DIGIT(7));
	struct hatch_catch key = HATCH_ON_HYPERCALL(WORLD_EID, on_watch, &by_key);
	struct hatch_catch any = HATCH_ON_ANY(on_watch, &by_any);
	struct hatch_catch late = HATCH_ON_ANY(on_watch, &outside);

	world_of(&w, alternate);
	world_catch(&w, &all);
	world_catch(&w, &late);
	enter_inner(&key);
	expect_equal(hatch_scope_leave(&w.t), 0);
	expect_equal(hatch_catch_add(&inner, &any), 0);
	expect_equal(hatch_scope_enter(&w.t, &inner), 0);
	expect_done(&w, 777777);
	expect_equal(by_key, 6);
	expect_equal(by_any, 7); /* and the call that quits */
	expect_equal(outside, 0);
	world_end(&w);
}

/* One load in every turn from each of two places of one page. */
GUEST(two_places, "	li a1, 0x10000000\n"
		  "	li s1, 3\n"
		  "	li s2, 0\n"
		  "	li s3, 10\n"
		  "1:	lw a0, 0x20(a1)\n"
		  "	mul s2, s2, s3\n"
		  "	add s2, s2, a0\n"
		  "	lw a0, 0x40(a1)\n"
		  "	mul s2, s2, s3\n"
		  "	add s2, s2, a0\n"
		  "	addi s1, s1, -1\n"
		  "	bnez s1, 1b\n"
		  "	mv a0, s2\n"
		  "	quit\n");

static void inner_device_hides_a_part_of_the_outer(void)
{
	struct hatch_catch page = HATCH_ON_MMIO(WORLD_DEVICE, 4096, on_digit, DIGIT(7));
	struct hatch_catch word = HATCH_ON_MMIO(WORLD_DEVICE + 0x40, 4, on_digit, DIGIT(4));

	world_of(&w, two_places);
	world_catch(&w, &page);
	enter_inner(&word);
	expect_done(&w, 747474);
	world_end(&w);
}

/* Loads from a device, then from RAM that shares its slot in the fast path's memory. */
GUEST(device_and_ram, "	li a1, 0x10000000\n"
		      "	lw a0, 0(a1)\n"
		      "	lw a0, 0(a1)\n"
		      "	li a1, 0x90000000\n"
		      "	lw a0, 0(a1)\n"
		      "	quit\n");

static enum hatch_verdict on_page(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_memory *memory = hatch_board_memory();
	hatch_hpa hpa = memory->physical(memory->arg, arg);

	if (hatch_gstage_map(&w.guest.stage, ev->page.gpa, hpa, 4096, HATCH_PROT_ALL))
		return hatch_unwind(k, 1);
	return hatch_retry(k);
}

static void device_of_everything_leaves_ram_alone(void)
{
	static _Alignas(4096) uint64_t page[512] = { 42 };
	struct hatch_catch everything = HATCH_ON_MMIO(0, UINT64_C(1) << 40, on_digit, DIGIT(7));
	struct hatch_catch ram = HATCH_ON_PAGE(0x90000000, 4096, on_page, page);

	world_of(&w, device_and_ram);
	expect_equal(hatch_guest_add_lazy(&w.guest, hatch_gpa_of(0x90000000), 4096), 0);
	world_catch(&w, &everything);
	world_catch(&w, &ram);
	expect_done(&w, 42);
	world_end(&w);
}

/* Calls extensions 0x08500000 up to a0 more, adds the answers. */
GUEST(callers, "	li s1, 0x08500000\n"
	       "	add s2, s1, a0\n"
	       "	li s3, 0\n"
	       "1:	mv a7, s1\n"
	       "	li a6, 0\n"
	       "	ecall\n"
	       "	add s3, s3, a0\n"
	       "	addi s1, s1, 1\n"
	       "	bltu s1, s2, 1b\n"
	       "	mv a0, s3\n"
	       "	quit\n");

static enum hatch_verdict on_own_id(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(ev->hypercall.extension - 0x08500000, (struct hatch_catch *)arg - many);
	return hatch_resume(k, 1);
}

static void clauses_of_number(uint64_t count)
{
	world_of(&w, callers);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t n = i * 7 % count; /* not in order */

		many[n] = HATCH_ON_HYPERCALL(0x08500000 + n, on_own_id, &many[n]);
		world_catch(&w, &many[n]);
	}
	w.vcpu.frame.x[10] = count;
	expect_done(&w, (long)count);
	world_end(&w);
}

static void hundred_clauses(void)
{
	clauses_of_number(100);
}

static void thousand_clauses(void)
{
	clauses_of_number(MANY);
}

static void overlap_is_refused_and_named(void)
{
	struct hatch_catch all = HATCH_ON_HYPERCALL(WORLD_EID, on_digit, NULL);
	struct hatch_catch one = HATCH_ON_HYPERCALL_FUNCTION(WORLD_EID, 1, on_digit, NULL);

	world_of(&w, alternate);
	world_catch(&w, &all);
	expect_equal(hatch_catch_add(&w.t.scope, &one), HATCH_EOVERLAP);
	expect(hatch_catch_conflict(&w.t.scope, &one) == &all);
	world_end(&w);
}

/* ---- both roads --------------------------------------------------------------------------- */

/* Calls, loads and stores of several kinds, eight times; a result in nearly every register. */
GUEST(mixture, "	li s11, 8\n"
	       "	li s10, 0x10000000\n"
	       "1:	mv a0, s11\n"
	       "	ask 1\n"
	       "	add s2, s2, a0\n"
	       "	add s3, s3, a1\n"
	       "	lb t0, 0(s10)\n"
	       "	lbu t1, 1(s10)\n"
	       "	lh t2, 2(s10)\n"
	       "	lhu s4, 4(s10)\n"
	       "	lw s5, 8(s10)\n"
	       "	lwu s6, 12(s10)\n"
	       "	ld s7, 16(s10)\n"
	       "	sb s11, 24(s10)\n"
	       "	sh s2, 26(s10)\n"
	       "	sw s3, 28(s10)\n"
	       "	sd s7, 32(s10)\n"
	       "	fld fa0, 16(s10)\n"
	       "	fsd fa0, 40(s10)\n"
	       "	fmv.x.d s8, fa0\n"
	       "	lw zero, 8(s10)\n"
	       "	addi s11, s11, -1\n"
	       "	bnez s11, 1b\n"
	       "	li a0, 0\n"
	       "	quit\n");

struct record {
	uint64_t x[32];
	uint64_t calls, accesses, sum, observed;
};

static enum hatch_verdict on_pair(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct record *record = arg;
	uint64_t number = ev->hypercall.arg[0];

	record->calls++;
	return number % 2 ? hatch_resume(k, number) : hatch_resume_pair(k, number, number + 100);
}

static enum hatch_verdict on_access(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct record *record = arg;

	record->accesses++;
	record->sum = record->sum * 31 + ev->mmio.offset;
	record->sum = record->sum * 31 + ev->mmio.shape;
	record->sum = record->sum * 31 + (ev->mmio.write ? ev->mmio.value : 0);
	record->sum = record->sum * 31 + ev->length;
	return hatch_resume(k, UINT64_C(0x8182838485868788) + record->accesses);
}

static void on_observed(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
			const struct hatch_catch *clause)
{
	(void)ev;
	(void)k;
	(void)clause;
	((struct record *)arg)->observed++;
}

static void take_road(struct record *record, hatch_observer *observer)
{
	struct hatch_catch pair = HATCH_ON_HYPERCALL(WORLD_EID, on_pair, record);
	struct hatch_catch device = HATCH_ON_MMIO(WORLD_DEVICE, 4096, on_access, record);

	*record = (struct record){ .calls = 0 };
	world_of(&w, mixture);
	world_catch(&w, &pair);
	world_catch(&w, &device);
	w.vcpu.vs.vsstatus |= SSTATUS_FS;
	w.t.observer = observer;
	w.t.observer_arg = record;
	expect_done(&w, 0);
	for (unsigned int i = 0; i < 32; i++)
		record->x[i] = w.vcpu.frame.x[i];
	world_end(&w);
}

static void both_roads_give_the_same(void)
{
	static struct record fast, slow;

	take_road(&fast, NULL);
	take_road(&slow, on_observed);
	for (unsigned int i = 0; i < 32; i++)
		check_equal(fast.x[i], slow.x[i], __LINE__, "a register on the fast path");
	expect_equal(fast.calls, 8);
	expect_equal(slow.calls, 8);
	expect_equal(fast.accesses, 8 * 14);
	expect_equal(slow.accesses, fast.accesses);
	expect_equal(fast.sum, slow.sum);
	expect_equal(slow.observed, 8 * 15 + 1);
	expect_equal(fast.observed, 0);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(inner_function_is_asked_first),
		CHECK(left_scope_is_not_asked),
		CHECK(passing_clauses_are_asked_every_time),
		CHECK(inner_device_hides_a_part_of_the_outer),
		CHECK(device_of_everything_leaves_ram_alone),
		CHECK(hundred_clauses),
		CHECK(thousand_clauses),
		CHECK(overlap_is_refused_and_named),
		CHECK(both_roads_give_the_same),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
