/* SPDX-License-Identifier: MIT */
/*
 * Functions that go wrong in a box: each is stopped, named, and leaves host and box as they were.
 */
#include <hatch/board.h>
#include <hatch/call.h>

#include "check.h"

#define STACK_SIZE (4 * HATCH_PAGE_SIZE)
#define PATIENCE   UINT64_C(50000000) /* ticks: 5 s, on a busy machine */
#define SHORT_TIME UINT64_C(200000)   /* 20 ms */

static const uint64_t constant[2] = { 1, 2 };
static uint64_t variable[2];
static struct hatch_box box;

/* ---- What goes wrong; in assembly where a compiler would see through it ------------------------ */

static uint64_t load(const volatile uint64_t *at)
{
	return *at;
}

static uint64_t store(volatile uint64_t *at)
{
	return *at = 0x6261640062616400;
}

static uint64_t recurse(volatile uint64_t *depth)
{
	volatile uint64_t here[8] = { depth ? *depth : 0 };

	here[1] = here[0] + 1;
	return here[1] ? recurse(&here[1]) + here[2] : 0;
}

static uint64_t spin(volatile uint64_t *unused)
{
	volatile bool done = false;

	while (!done)
		;
	return 0;
}

static uint64_t jump(volatile uint64_t *to)
{
	return ((uint64_t(*)(void))(uintptr_t)to)();
}

static uint64_t run_own_stack(volatile uint64_t *unused)
{
	volatile uint32_t code[2] = { 0x00008067, 0x00008067 }; /* ret */

	return ((uint64_t(*)(void))(uintptr_t)code)();
}

#define WRONG(name, text)                                                                          \
	uint64_t name(volatile uint64_t *a0);                                                      \
	__asm__("	.pushsection .text." #name ", \"ax\"\n"                                    \
		"	.option push\n	.option arch, +h\n	.balign 4\n" #name ":\n" text      \
		"\n	ret\n	.option pop\n	.popsection\n")

WRONG(smash, "	addi sp, sp, -16\n	sd ra, 8(sp)\n	sd a0, 8(sp)\n	ld ra, 8(sp)\n");
WRONG(lose_stack, "	mv sp, a0\n	sd ra, -8(sp)\n");
WRONG(amo, "	addi a0, sp, -15\n	amoadd.d a0, a0, (a0)\n");
WRONG(reserve, "	addi a0, sp, -15\n	lr.d a0, (a0)\n");
WRONG(zeros, "	.half 0\n");
WRONG(custom, "	.insn r 0x0b, 0, 0, a5, a0, a1\n");
WRONG(read_sstatus, "	csrr a0, sstatus\n");
WRONG(write_satp, "	csrw satp, a0\n");
WRONG(read_hgatp, "	csrr a0, hgatp\n");
WRONG(read_mstatus, "	csrr a0, mstatus\n");
WRONG(read_time, "	rdtime a0\n");
WRONG(return_to_s, "	sret\n");
WRONG(sleep_on, "	wfi\n");
WRONG(fence_vma, "	sfence.vma\n");
WRONG(fence_gvma, "	hfence.gvma\n");
WRONG(load_virtual, "	hlv.d a0, (a0)\n");
WRONG(call_host, "	ecall\n");
WRONG(stop_here, "	ebreak\n");

static uint64_t ask_nobody(volatile uint64_t *unused)
{
	return hatch_ask("nobody");
}

static uint64_t ask_by_wild_name(volatile uint64_t *at)
{
	return hatch_ask((const char *)(uintptr_t)at);
}

static int answer_never(void *arg, struct hatch_box *from, const uint64_t args[7], uint64_t *answer)
{
	return HATCH_EFAULT;
}

static uint64_t ask_failing(volatile uint64_t *unused)
{
	return hatch_ask("failing");
}

static uint64_t fine(volatile uint64_t *unused)
{
	return 42;
}

/* ---- The checks ------------------------------------------------------------------------------- */

typedef uint64_t wrong_fn(volatile uint64_t *at);

static void begin(void)
{
	expect_equal(hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), STACK_SIZE,
				    HATCH_PAGE_SIZE),
		     0);
	expect_equal(hatch_box_limit(&box, PATIENCE), 0);
	expect_equal(hatch_box_offer(&box, "failing", answer_never, NULL), 0);
}

/* Stopped for that reason; refused until the reset; then as good as new. */
static void stops(int line, wrong_fn *wrong, const void *at, enum hatch_stop stop)
{
	struct hatch_call_result result = hatch_call(&box, fine, NULL);
	char how[160];

	check_equal(result.value, 42, line, "the value before");
	result = hatch_call(&box, wrong, (uint64_t *)(uintptr_t)at);
	hatch_call_format(&result, how, sizeof(how));
	check_say("%s", how);
	check_that(result.stop == stop, line, "%s; expected: %s", how, hatch_stop_name(stop));
	check_equal(result.outcome, stop == HATCH_STOP_OFFER ? HATCH_FAILED : HATCH_UNCAUGHT, line,
		    "the outcome");
	check_equal(result.event != NULL, stop != HATCH_STOP_OFFER, line, "has an event");
	result = hatch_call(&box, fine, NULL);
	check_equal(result.outcome, HATCH_FAILED, line, "the outcome before a reset");
	check_equal((uint64_t)result.error, (uint64_t)HATCH_ESTALE, line, "the error before one");
	check_equal((uint64_t)hatch_box_reset(&box), 0, line, "the reset");
	result = hatch_call(&box, fine, NULL);
	check_equal(result.outcome, HATCH_DONE, line, "the outcome after the reset");
	check_equal(result.value, 42, line, "the value after the reset");
}
#define expect_stop(wrong, at, stop) stops(__LINE__, wrong, at, stop)

static void (*const code)(void) = begin;

static void reads(void)
{
	begin();
	expect_stop((wrong_fn *)load, NULL, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, check_canary(), HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, variable, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, &box, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, (void *)0x10000000, HATCH_STOP_READ); /* the UART */
	expect_stop((wrong_fn *)load, (void *)0x7fffffffff8, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, (void *)-8, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, box.stack_top, HATCH_STOP_READ);
	expect_stop((wrong_fn *)load, box.heap + box.heap_size, HATCH_STOP_READ);
	hatch_box_fini(&box);
}

static void writes(void)
{
	begin();
	expect_stop(store, NULL, HATCH_STOP_WRITE);
	expect_stop(store, check_canary(), HATCH_STOP_WRITE);
	expect_stop(store, (void *)code, HATCH_STOP_WRITE);
	expect_stop(store, constant, HATCH_STOP_WRITE);
	expect_stop(store, variable, HATCH_STOP_WRITE);
	expect_stop(store, box.guest.stage.root, HATCH_STOP_WRITE);
	expect_equal(constant[0], 1);
	expect_equal(variable[0], 0);
	hatch_box_fini(&box);
}

static void stack(void)
{
	begin();
	expect_stop(recurse, NULL, HATCH_STOP_STACK);
	expect_stop(lose_stack, NULL, HATCH_STOP_WRITE);
	expect_stop(lose_stack, check_canary() + 8, HATCH_STOP_WRITE);
	hatch_box_fini(&box);
}

static void jumps(void)
{
	begin();
	expect_stop(smash, NULL, HATCH_STOP_JUMP);
	expect_stop(smash, (void *)0x4141414141414140, HATCH_STOP_JUMP);
	expect_stop(jump, NULL, HATCH_STOP_JUMP);
	expect_stop(jump, constant, HATCH_STOP_JUMP);
	expect_stop(jump, variable, HATCH_STOP_JUMP);
	expect_stop(jump, (void *)-2, HATCH_STOP_JUMP);
	expect_stop(run_own_stack, NULL, HATCH_STOP_JUMP);
	expect_stop(NULL, NULL, HATCH_STOP_JUMP);
	hatch_box_fini(&box);
}

static void instructions(void)
{
	begin();
	expect_equal(hatch_box_limit(&box, 0), 0);
	expect_stop(amo, NULL, HATCH_STOP_MISALIGNED);
	expect_stop(reserve, NULL, HATCH_STOP_MISALIGNED);
	expect_stop(zeros, NULL, HATCH_STOP_ILLEGAL);
	expect_stop(custom, NULL, HATCH_STOP_ILLEGAL);
	expect_stop(stop_here, NULL, HATCH_STOP_BREAKPOINT);
	hatch_box_fini(&box);
}

static void privileges(void)
{
	begin();
	expect_stop(read_sstatus, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(write_satp, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(read_mstatus, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(read_hgatp, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(read_time, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(return_to_s, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(sleep_on, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(fence_vma, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(fence_gvma, NULL, HATCH_STOP_PRIVILEGED);
	expect_stop(load_virtual, NULL, HATCH_STOP_PRIVILEGED);
	hatch_box_fini(&box);
}

static void time_limit(void)
{
	begin();
	for (int i = 0; i < 3; i++) {
		expect_equal(hatch_box_limit(&box, SHORT_TIME), 0);
		expect_equal(hatch_call(&box, spin, NULL).stop, HATCH_STOP_LATE);
		expect_equal(hatch_box_limit(&box, 0), 0);
		expect_equal(hatch_box_reset(&box), 0);
		expect_equal(hatch_call(&box, fine, NULL).value, 42);
	}
	hatch_box_fini(&box);
}

static void questions(void)
{
	begin();
	expect_equal(hatch_box_limit(&box, 0), 0);
	expect_stop(call_host, NULL, HATCH_STOP_DENIED);
	expect_stop(ask_nobody, NULL, HATCH_STOP_DENIED);
	expect_stop(ask_by_wild_name, check_canary(), HATCH_STOP_DENIED);
	expect_stop(ask_by_wild_name, (void *)-1, HATCH_STOP_DENIED);
	expect_stop(ask_failing, NULL, HATCH_STOP_OFFER);
	hatch_box_fini(&box);
}

/* A box stopped in the middle holds nothing of the next one's, and leaves nothing in the hart. */
static void faults_leave_no_trace(void)
{
	volatile double kept = 1.5;

	begin();
	expect_equal(hatch_box_limit(&box, 0), 0); /* by the short road */
	for (unsigned int i = 0; i < 100; i++) {
		expect_equal(hatch_call(&box, fine, NULL).value, 42);
		expect_equal(hatch_call(&box, store, NULL).stop, HATCH_STOP_WRITE);
		expect_equal(hatch_box_reset(&box), 0);
		kept += 0.5;
	}
	expect(kept == 51.5);
	hatch_box_fini(&box);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(reads),	   CHECK(writes),	CHECK(stack),
		CHECK(jumps),	   CHECK(instructions), CHECK(privileges),
		CHECK(time_limit), CHECK(questions),	CHECK(faults_leave_no_trace),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
