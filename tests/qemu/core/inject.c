/* SPDX-License-Identifier: MIT */
/*
 * Illegal instructions and calls from VU-mode: caught by the host, or sent into the guest's own
 * trap handler.
 */
#include "world.h"

#define CUSTOM_0 0x0000000b
#define CUSTOM_1 0x0000002b

static struct world w;

/* Code that goes to VU-mode at label 1 with its trap vector at label 8. */
#define TO_USER                                                                                    \
	"	la t0, 8f\n"                                                                             \
	"	csrw stvec, t0\n"                                                                        \
	"	la t0, 1f\n"                                                                             \
	"	csrw sepc, t0\n"                                                                         \
	"	sret\n"

/* What its trap handler saw: cause, tval, epc relative to label 1, and SPP. */
#define REPORT                                                                                     \
	"	.balign 4\n"                                                                             \
	"8:	csrr s1, scause\n"                                                                     \
	"	csrr s2, stval\n"                                                                        \
	"	csrr s3, sepc\n"                                                                         \
	"	la t0, 1b\n"                                                                             \
	"	sub s3, s3, t0\n"                                                                        \
	"	csrr s4, sstatus\n"                                                                      \
	"	andi s4, s4, 0x100\n"                                                                    \
	"	li a0, 0\n"                                                                              \
	"	quit\n"

#define SEEN_CAUSE w.vcpu.frame.x[9]
#define SEEN_TVAL  w.vcpu.frame.x[18]
#define SEEN_PC	   w.vcpu.frame.x[19]
#define SEEN_SPP   w.vcpu.frame.x[20]

/* ---- illegal instructions ----------------------------------------------------------------- */

/* custom-0 and custom-1 with several funct3: a5 = f(a0, a1), four results as digits. */
GUEST(customs, "	li s1, 10\n"
	       "	.insn r 0x0b, 0, 0, a0, zero, zero\n"
	       "	.insn r 0x0b, 1, 0, a1, zero, zero\n"
	       "	.insn r 0x2b, 0, 0, a2, zero, zero\n"
	       "	.insn r 0x2b, 1, 0, a3, zero, zero\n"
	       "	mul a0, a0, s1\n"
	       "	add a0, a0, a1\n"
	       "	mul a0, a0, s1\n"
	       "	add a0, a0, a2\n"
	       "	mul a0, a0, s1\n"
	       "	add a0, a0, a3\n"
	       "	quit\n");

static enum hatch_verdict on_digit(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(ev->length, 4);
	return hatch_resume(k, (uintptr_t)arg);
}

static void illegal_by_mask_and_match(void)
{
	struct hatch_catch zero = HATCH_ON_ILLEGAL(0x707f, CUSTOM_0, on_digit, (void *)1);
	struct hatch_catch one = HATCH_ON_ILLEGAL(0x707f, CUSTOM_0 | 0x1000, on_digit, (void *)2);
	struct hatch_catch other = HATCH_ON_ILLEGAL(0x7f, CUSTOM_1, on_digit, (void *)3);
	struct hatch_catch meets = HATCH_ON_ILLEGAL(0x7f, CUSTOM_0, on_digit, (void *)4);

	world_of(&w, customs);
	world_catch(&w, &zero);
	world_catch(&w, &one);
	world_catch(&w, &other);
	expect_equal(hatch_catch_add(&w.t.scope, &meets), HATCH_EOVERLAP);
	expect_done(&w, 1233);
	world_end(&w);
}

GUEST(illegal_in_vs, "	la t0, 8f\n"
		     "	csrw stvec, t0\n"
		     "1:	.insn r 0x0b, 0, 0, a0, zero, zero\n" REPORT);
GUEST(illegal_in_vu, TO_USER "1:	.insn r 0x0b, 0, 0, a0, zero, zero\n" REPORT);

static enum hatch_verdict on_inject(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	++*(unsigned int *)arg;
	return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, ev->illegal.encoding);
}

/* By a clause that injects, and without one, when the guest has it from the hardware. */
static void illegal_comes_to_the_guest(const uint8_t *code, const uint8_t *end, uint64_t spp)
{
	for (unsigned int caught = 0; caught <= 1; caught++) {
		unsigned int asked = 0;
		struct hatch_catch clause = HATCH_ON_ILLEGAL(0, 0, on_inject, &asked);

		world_begin(&w, code, end);
		if (caught)
			world_catch(&w, &clause);
		expect_done(&w, 0);
		expect_equal(asked, caught);
		expect_equal(SEEN_CAUSE, CAUSE_ILLEGAL_INSTRUCTION);
		expect_equal(SEEN_TVAL, CUSTOM_0 | 10 << 7);
		expect_equal(SEEN_PC, 0);
		expect_equal(SEEN_SPP, spp);
		world_end(&w);
	}
}

static void inject_into_vs_mode(void)
{
	illegal_comes_to_the_guest(illegal_in_vs, illegal_in_vs_end, SSTATUS_SPP);
}

static void inject_into_vu_mode(void)
{
	illegal_comes_to_the_guest(illegal_in_vu, illegal_in_vu_end, 0);
}

/* Interrupts on, vectored mode: the vector's base is taken, SIE goes to SPIE and back. */
GUEST(stacked, "	la t0, 8f\n"
	       "	addi t0, t0, 1\n"
	       "	csrw stvec, t0\n"
	       "	csrsi sstatus, 2\n"
	       "1:	.insn r 0x0b, 0, 0, a0, zero, zero\n"
	       "	csrr s5, sstatus\n"
	       "	mv a0, s4\n"
	       "	quit\n"
	       "	.balign 64\n"
	       "8:	csrr s4, sstatus\n"
	       "	csrr t0, sepc\n"
	       "	addi t0, t0, 4\n"
	       "	csrw sepc, t0\n"
	       "	sret\n");

static void inject_stacks_the_interrupt_enable(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_ILLEGAL(0, 0, on_inject, &asked);
	const uint64_t bits = SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP;

	world_of(&w, stacked);
	world_catch(&w, &clause);
	world_run(&w);
	expect_outcome(&w, HATCH_DONE);
	expect_equal(asked, 1);
	expect_equal((uint64_t)w.t.status & bits, SSTATUS_SPIE | SSTATUS_SPP);
	expect_equal(w.vcpu.frame.x[21] & SSTATUS_SIE, SSTATUS_SIE);
	world_end(&w);
}

/* ---- calls from VU-mode ------------------------------------------------------------------- */

GUEST(user_call, TO_USER "1:	li a7, 64\n"
			 "	li a0, 5\n"
			 "	ecall\n"
			 "	mv s5, a0\n"
			 "	ebreak\n" REPORT);

static enum hatch_verdict on_syscall(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	expect_equal(ev->kind, HATCH_SYSCALL);
	expect_equal(ev->hypercall.extension, 64);
	expect(hatch_cont_is_user(k));
	return hatch_resume(k, ev->hypercall.arg[0] * 2);
}

static void syscall_is_caught(void)
{
	struct hatch_catch clause = HATCH_ON_SYSCALLS(0, 100, on_syscall, NULL);

	world_of(&w, user_call);
	world_catch(&w, &clause);
	expect_done(&w, 0);
	expect_equal(w.vcpu.frame.x[21], 10);
	expect_equal(SEEN_CAUSE, CAUSE_BREAKPOINT);
	expect_equal(SEEN_SPP, 0);
	world_end(&w);
}

static void syscall_nobody_asks_for_is_the_guests(void)
{
	world_of(&w, user_call);
	expect_done(&w, 0);
	expect_equal(SEEN_CAUSE, CAUSE_USER_ECALL);
	expect_equal(SEEN_SPP, 0);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(illegal_by_mask_and_match), CHECK(inject_into_vs_mode),
		CHECK(inject_into_vu_mode),	  CHECK(inject_stacks_the_interrupt_enable),
		CHECK(syscall_is_caught),	  CHECK(syscall_nobody_asks_for_is_the_guests),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
