/* SPDX-License-Identifier: MIT */
/*
 * Events that are no calls: breakpoints, CSRs, waiting, interrupts, faults.
 */
#include <hatch/board.h>

#include "world.h"

static struct world w;

/* ---- breakpoints -------------------------------------------------------------------------- */

GUEST(breakpoints, "	li a0, 1\n"
		   "	c.ebreak\n"
		   "	slli a0, a0, 1\n"
		   "	.option norvc\n"
		   "	ebreak\n"
		   "	addi a0, a0, 1\n"
		   "	quit\n");

static enum hatch_verdict on_break(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	unsigned int *asked = arg;

	expect_equal(ev->length, *asked ? 4 : 2);
	++*asked;
	return hatch_resume(k, 99);
}

static void breakpoints_of_both_lengths(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_BREAKPOINT(on_break, &asked);

	world_of(&w, breakpoints);
	world_catch(&w, &clause);
	expect_done(&w, 3);
	expect_equal(asked, 2);
	world_end(&w);
}

/* ---- CSRs --------------------------------------------------------------------------------- */

/* The counters, into three registers. */
GUEST(counters, "	rdcycle s2\n"
		"	rdtime s3\n"
		"	rdinstret s4\n"
		"	add a0, s2, s3\n"
		"	add a0, a0, s4\n"
		"	quit\n");

static enum hatch_verdict on_counter(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(ev->kind, HATCH_CSR);
	expect(ev->csr.read && !ev->csr.write);
	expect_equal(ev->csr.number - CSR_CYCLE + 18, ev->csr.rd);
	++*(unsigned int *)arg;
	return hatch_resume(k, ev->csr.number - CSR_CYCLE + 1);
}

static void counters_are_caught(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_CSR(CSR_CYCLE, CSR_INSTRET, on_counter, &asked);

	world_of(&w, counters);
	world_catch(&w, &clause);
	expect_done(&w, 6);
	expect_equal(asked, 3);
	world_end(&w);
}

static void time_alone_is_caught(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_CSR(CSR_TIME, CSR_TIME, on_counter, &asked);

	world_of(&w, counters);
	world_catch(&w, &clause);
	world_run(&w);
	expect_outcome(&w, HATCH_DONE);
	expect_equal(asked, 1);
	expect_equal(w.vcpu.frame.x[19], 2);
	world_end(&w);
}

/* stimecmp by number: swap, set bits, an immediate. */
GUEST(comparator, "	li a1, 0x123\n"
		  "	csrrw a0, 0x14d, a1\n"
		  "	csrrs a2, 0x14d, zero\n"
		  "	csrrsi a3, 0x14d, 5\n"
		  "	csrrwi zero, 0x14d, 7\n"
		  "	add a0, a0, a2\n"
		  "	add a0, a0, a3\n"
		  "	quit\n");

static enum hatch_verdict on_comparator(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	static const struct {
		enum hatch_insn_csr_op op;
		uint64_t operand;
		bool read, write;
	} expected[] = {
		{ HATCH_INSN_CSR_RW, 0x123, true, true },
		{ HATCH_INSN_CSR_RS, 0, true, false },
		{ HATCH_INSN_CSR_RS, 5, true, true },
		{ HATCH_INSN_CSR_RW, 7, false, true },
	};
	unsigned int *asked = arg;

	if (*asked < 4) {
		expect_equal(ev->csr.op, expected[*asked].op);
		expect_equal(ev->csr.operand, expected[*asked].operand);
		expect_equal(ev->csr.read, expected[*asked].read);
		expect_equal(ev->csr.write, expected[*asked].write);
	}
	++*asked;
	return hatch_resume(k, *asked);
}

static void comparator_is_caught(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_CSR(0x14d, 0x14d, on_comparator, &asked);

	if (!hatch_hart_facts()->sstc) {
		check_say("this machine has no Sstc: nothing to check");
		return;
	}
	world_of(&w, comparator);
	world_catch(&w, &clause);
	expect_done(&w, 1 + 2 + 3);
	expect_equal(asked, 4);
	world_end(&w);
}

/* ---- waiting ------------------------------------------------------------------------------ */

GUEST(waiter, "	wfi\n"
	      "	wfi\n"
	      "	li a0, 3\n"
	      "	quit\n");

static enum hatch_verdict on_wfi(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	expect_equal(ev->kind, HATCH_WFI);
	++*(unsigned int *)arg;
	return hatch_resume(k, 0);
}

static void wfi_is_caught(void)
{
	unsigned int asked = 0;
	struct hatch_catch clause = HATCH_ON_WFI(on_wfi, &asked);

	world_of(&w, waiter);
	world_catch(&w, &clause);
	expect_done(&w, 3);
	expect_equal(asked, 2);
	world_end(&w);
}

/* ---- interrupts --------------------------------------------------------------------------- */

GUEST(endless, "1:	addi s1, s1, 1\n"
	       "	j 1b\n");

static enum hatch_verdict on_tick(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	unsigned int *ticks = arg;

	expect_equal(ev->kind, HATCH_INTERRUPT);
	expect_equal(ev->length, 0);
	if (++*ticks == 5) {
		hatch_board_timer(UINT64_MAX);
		return hatch_unwind(k, 5);
	}
	hatch_board_timer(hatch_board_ticks() + 1000);
	return *ticks % 2 ? hatch_resume(k, 0) : hatch_retry(k);
}

static void host_interrupts_are_events(void)
{
	unsigned int ticks = 0;
	struct hatch_catch clause = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_tick, &ticks);

	world_of(&w, endless);
	expect_equal(hatch_catch_remove(&w.t.scope, &w.on_late), 0);
	world_catch(&w, &clause);
	hatch_board_timer(hatch_board_ticks() + 1000);
	hatch_try_run(&w.t);
	expect_outcome(&w, HATCH_UNWOUND);
	expect_equal(w.t.status, 5);
	expect_equal(ticks, 5);
	world_end(&w);
}

static enum hatch_verdict on_bad_tick(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_skip(k);
}

static void interrupt_cannot_be_skipped(void)
{
	struct hatch_catch clause = HATCH_ON_INTERRUPT(IRQ_S_TIMER, on_bad_tick, NULL);

	world_of(&w, endless);
	expect_equal(hatch_catch_remove(&w.t.scope, &w.on_late), 0);
	world_catch(&w, &clause);
	hatch_board_timer(hatch_board_ticks() + 1000);
	expect_equal(hatch_try_run(&w.t), HATCH_FAILED);
	expect_equal(w.t.error, HATCH_EVERDICT);
	hatch_board_timer(UINT64_MAX);
	world_end(&w);
}

/* A virtual interrupt that a handler raises arrives, and is lowered by another one. */
GUEST(interrupted, "	la t0, 8f\n"
		   "	csrw stvec, t0\n"
		   "	li t0, 0x200\n"
		   "	csrw sie, t0\n"
		   "	csrsi sstatus, 2\n"
		   "	ask 1\n"
		   "1:	beqz s1, 1b\n"
		   "	mv a0, s1\n"
		   "	quit\n"
		   "	.balign 4\n"
		   "8:	csrr s1, scause\n"
		   "	slli s1, s1, 1\n"
		   "	srli s1, s1, 1\n"
		   "	ask 2\n"
		   "	sret\n");

static enum hatch_verdict on_raise(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	if (ev->hypercall.function == 1)
		hatch_vcpu_raise(k->vcpu, HVIP_VSEIP);
	else
		hatch_vcpu_lower(k->vcpu, HVIP_VSEIP);
	return hatch_resume(k, 0);
}

static void virtual_interrupt_arrives(void)
{
	struct hatch_catch clause = HATCH_ON_HYPERCALL(WORLD_EID, on_raise, NULL);

	world_of(&w, interrupted);
	world_catch(&w, &clause);
	expect_done(&w, IRQ_S_EXT);
	world_end(&w);
}

/* ---- other exceptions --------------------------------------------------------------------- */

/* An atomic access to a device. */
GUEST(faulty, "	li a0, 0x10000000\n"
	      "	amoadd.w a1, a1, (a0)\n"
	      "	li a1, 0\n"
	      "	quit\n");

static enum hatch_verdict on_fault(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	++*(unsigned int *)arg;
	/* QEMU 7.2 calls it a load. */
	expect(ev->fault.cause == CAUSE_STORE_GUEST_PAGE_FAULT ||
	       ev->fault.cause == CAUSE_LOAD_GUEST_PAGE_FAULT);
	expect_equal(ev->fault.gpa.addr, WORLD_DEVICE);
	return hatch_skip(k);
}

static enum hatch_verdict on_never(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	expect(!"an atomic access is no load or store that an answer could complete");
	return hatch_skip(k);
}

static void atomic_access_to_a_device_is_a_fault(void)
{
	unsigned int asked = 0;
	struct hatch_catch fault = HATCH_ON_FAULT(0, 63, on_fault, &asked);
	struct hatch_catch device = HATCH_ON_MMIO(WORLD_DEVICE, 4096, on_never, NULL);

	world_of(&w, faulty);
	world_catch(&w, &fault);
	world_catch(&w, &device);
	world_run(&w);
	expect_outcome(&w, HATCH_DONE);
	expect_equal(asked, 1);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(breakpoints_of_both_lengths),
		CHECK(counters_are_caught),
		CHECK(time_alone_is_caught),
		CHECK(comparator_is_caught),
		CHECK(wfi_is_caught),
		CHECK(host_interrupts_are_events),
		CHECK(interrupt_cannot_be_skipped),
		CHECK(virtual_interrupt_arrives),
		CHECK(atomic_access_to_a_device_is_a_fault),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
