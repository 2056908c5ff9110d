/* SPDX-License-Identifier: MIT */
/*
 * A trap of the host itself is a bug in the host program: say all that is known, then stop, and with
 * this hart the machine.
 */
#include <stdio.h>

#include <hatch/csr.h>

#include "virt.h"

#define BACKTRACE_MAX 32

static const char *const register_names[32] = {
	"zero", "ra", "sp", "gp", "tp",	 "t0",	"t1", "t2", "s0", "s1", "a0",
	"a1",	"a2", "a3", "a4", "a5",	 "a6",	"a7", "s2", "s3", "s4", "s5",
	"s6",	"s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char *const cause_names[] = {
	[CAUSE_FETCH_MISALIGNED] = "instruction address misaligned",
	[CAUSE_FETCH_ACCESS] = "instruction access fault: no memory to execute there",
	[CAUSE_ILLEGAL_INSTRUCTION] = "illegal instruction",
	[CAUSE_BREAKPOINT] = "breakpoint",
	[CAUSE_LOAD_MISALIGNED] = "load address misaligned",
	[CAUSE_LOAD_ACCESS] = "load access fault: nothing answers at that address",
	[CAUSE_STORE_MISALIGNED] = "store address misaligned",
	[CAUSE_STORE_ACCESS] = "store access fault: nothing answers at that address",
	[CAUSE_FETCH_PAGE_FAULT] = "instruction page fault",
	[CAUSE_LOAD_PAGE_FAULT] = "load page fault",
	[CAUSE_STORE_PAGE_FAULT] = "store page fault",
	[CAUSE_FETCH_GUEST_PAGE_FAULT] = "instruction guest-page fault",
	[CAUSE_LOAD_GUEST_PAGE_FAULT] = "load guest-page fault",
	[CAUSE_STORE_GUEST_PAGE_FAULT] = "store guest-page fault",
};

static const char *cause_name(uint64_t scause)
{
	if (scause & CAUSE_INTERRUPT)
		return "interrupt, which host code never enables";
	if (scause < sizeof(cause_names) / sizeof(cause_names[0]) && cause_names[scause])
		return cause_names[scause];
	return "unexpected cause";
}

static bool in_text(uint64_t address)
{
	return address > (uintptr_t)virt_text_start && address < (uintptr_t)virt_text_end &&
	       !(address & 1);
}

/* Whether the instruction before `address` is a call: jal or jalr with ra, or c.jalr. */
static bool follows_call(uint64_t address)
{
	const uint16_t *p = (const uint16_t *)address;

	if (!in_text(address) || !in_text(address - 4))
		return false;
	if ((p[-2] & 0xfff) == 0x0ef || (p[-2] & 0xfff) == 0x0e7)
		return true;
	return (p[-1] & 0xf07f) == 0x9002 && (p[-1] & 0x0f80);
}

static void print_registers(const struct hatch_frame *frame)
{
	for (unsigned int i = 0; i < 32; i++)
		printf("  %-4s %016llx%s", register_names[i], (unsigned long long)frame->x[i],
		       i % 4 == 3 ? "\n" : "");
}

/*
 * Without frame pointers every word of the stack that could be a return address is shown: too
 * many rather than too few.
 */
static void print_backtrace(const struct hatch_frame *frame)
{
	const struct virt_hart *hart = virt_hart_this();
	uint64_t sp = frame->x[2] & ~7UL;
	unsigned int lines = 0;

	printf("called from (read off the stack, stale entries are possible):\n");
	if (follows_call(frame->x[1]))
		printf("  %llx\n", (unsigned long long)frame->x[1]);
	if (sp < (uintptr_t)hart->stack_bottom || sp > (uintptr_t)hart->stack_top) {
		printf("  sp is outside of the hart's stack: nothing more to see\n");
		return;
	}
	for (; sp < (uintptr_t)hart->stack_top && lines < BACKTRACE_MAX; sp += 8) {
		uint64_t word = *(const uint64_t *)sp;

		if (follows_call(word)) {
			printf("  %llx\n", (unsigned long long)word);
			lines++;
		}
	}
}

/* A trap within the report must not report itself, and one report is enough. */
static void stop_if_again(void)
{
	static bool reporting;

	virt_hart_is_last();
	if (reporting)
		virt_die("the report of a host trap trapped itself", "debug it with gdb");
	reporting = true;
	virt_console_seize();
}

_Noreturn void virt_trap(const struct hatch_frame *frame, const struct hatch_trap *trap)
{
	stop_if_again();
	printf("\nhatch: the host program trapped on hart %llu: %s\n",
	       (unsigned long long)virt_hart_this()->id, cause_name(trap->scause));
	printf("  sepc %016llx  stval %016llx  scause %llx  sstatus %016llx\n",
	       (unsigned long long)frame->pc, (unsigned long long)trap->stval,
	       (unsigned long long)trap->scause, (unsigned long long)frame->sstatus);
	print_registers(frame);
	print_backtrace(frame);
	if (virt_stack_overflowed())
		printf("The host's stack overflowed: make large local arrays static.\n");
	printf("To see the lines: riscv64-unknown-elf-addr2line -fpe PROGRAM.elf %llx ADDRESS...\n",
	       (unsigned long long)frame->pc);
	hatch_board_exit(VIRT_EXIT_BROKEN);
}

_Noreturn void virt_trap_early(uint64_t scause, uint64_t sepc, uint64_t stval)
{
	const struct hatch_frame frame = { .pc = sepc };
	const struct hatch_trap trap = { .scause = scause, .stval = stval };

	virt_trap(&frame, &trap);
}
