/* SPDX-License-Identifier: MIT */
/*
 * The measured side: does one thing over and over and counts the instructions from the one that
 * traps to the one behind it, with the CPU's own counter.
 */
#include "cases.h"
#include "guest.h"

#define YIELD	      0x08534348 /* HATCH_SCHED_EID */
#define SBI_TIME      0x54494d45
#define SBI_DBCN      0x4442434e
#define SBI_IPI	      0x735049
#define SBI_RFENCE    0x52464e43
#define SBI_HSM	      0x48534d
#define CONSOLE_BYTES 64
#define FAR	      (1UL << 62) /* ticks: an alarm that never comes */
/* Its end. Nothing here is in .bss: a run begins with clearing that, and some are counted from there. */
#define OTHER_STACK   (HATCH_GUEST_RAM + 0x80000)

/*
 * Reads the counter, does `text`, reads it again. The operands are a0, a1, a6 and a7, where a
 * call wants them; a0 is the address for loads and stores.
 */
#define ROUND(text, arg0, arg1, function, extension)                                               \
	({                                                                                         \
		register uint64_t a0_ __asm__("a0") = (arg0);                                      \
		register uint64_t a1_ __asm__("a1") = (arg1);                                      \
		register uint64_t a2_ __asm__("a2") = 0;                                           \
		register uint64_t a3_ __asm__("a3") = 0;                                           \
		register uint64_t a6_ __asm__("a6") = (function);                                  \
		register uint64_t a7_ __asm__("a7") = (extension);                                 \
		register uint64_t before_ __asm__("s2");                                           \
		register uint64_t after_ __asm__("s3");                                            \
		__asm__ volatile("rdinstret %0\n" text "\nrdinstret %1"                            \
				 : "=&r"(before_), "=&r"(after_), "+r"(a0_), "+r"(a1_)             \
				 : "r"(a2_), "r"(a3_), "r"(a6_), "r"(a7_)                          \
				 : "memory", "a5", "s4");                                          \
		after_ - before_;                                                                  \
	})

static uint64_t console_round(void)
{
	static const _Alignas(8) char text[CONSOLE_BYTES + 1] =
		"bench: sixty-four bytes, as a console driver would write them.\r\n";

	return ROUND("ecall", CONSOLE_BYTES, (uint64_t)text, 0, SBI_DBCN);
}

static uint64_t ipi_round(void)
{
	uint64_t n = ROUND("ecall", 1, 0, 0, SBI_IPI);

	__asm__ volatile("csrci sip, 2" ::: "memory");
	return n;
}

/* ---- Two harts ---- */

static uint64_t arrived = 1; /* the count in the other hart's trap handler; 0: not yet; no .bss */

void bench_other(void);
__asm__("	.text\n"
	"	.globl	bench_other\n"
	"bench_other:\n"
	"	mv	sp, a1\n"
	"	la	t0, 1f\n"
	"	csrw	stvec, t0\n"
	"	csrsi	sie, 2\n"
	"	csrsi	sstatus, 2\n"
	"2:	wfi\n"
	"	j	2b\n"
	"	.balign	4\n"
	"1:	rdinstret a0\n"
	"	csrci	sip, 2\n"
	"	call	bench_arrive\n"
	"	sret\n");

void bench_arrive(uint64_t count);
void bench_arrive(uint64_t count)
{
	__atomic_store_n(&arrived, count, __ATOMIC_SEQ_CST);
	hatch_guest_call(SBI_IPI, 0, 1, 0);
}

/*
 * Returns what the call took; *way is from its first instruction to the other hart's handler. This
 * hart sleeps at once, for only then does QEMU let the other one run.
 */
static uint64_t other_round(uint64_t *way)
{
	uint64_t before, after, n;

	__atomic_store_n(&arrived, 0, __ATOMIC_SEQ_CST);
	__asm__ volatile("csrsi sie, 2\nrdinstret %0" : "=r"(before)::"memory");
	n = ROUND("ecall", 2, 0, 0, SBI_IPI);
	while (!(after = __atomic_load_n(&arrived, __ATOMIC_SEQ_CST)))
		__asm__ volatile("wfi");
	__asm__ volatile("csrci sip, 2" ::: "memory");
	*way = after - before;
	return n;
}

static void start_other(void)
{
	hatch_guest_call(SBI_HSM, 0, 1, (uint64_t)bench_other, OTHER_STACK);
}

static uint64_t round_of(enum bench_guest what, uint64_t i)
{
	uint64_t way;

	switch (what) {
	case BENCH_HYPERCALL:
		return ROUND("ecall", i, 0, 0, BENCH_EID);
	case BENCH_LOAD:
		return ROUND("lw a5, 4(a0)", BENCH_DEVICE, 0, 0, 0);
	case BENCH_STORE:
		return ROUND("sw a1, 4(a0)", BENCH_DEVICE, i, 0, 0);
	case BENCH_LOAD_S:
		return ROUND("lw s4, 4(a0)", BENCH_DEVICE, 0, 0, 0);
	case BENCH_ILLEGAL: /* custom-0: a5 = f(a0, a1) */
		return ROUND(".insn r 0x0b, 0, 0, a5, a0, a1", i, i, 0, 0);
	case BENCH_PAGE:
		return ROUND("sd a1, 0(a0)", BENCH_LAZY + i * 4096, i, 0, 0);
	case BENCH_SBI_TIMER:
		return ROUND("ecall", FAR + i, 0, 0, SBI_TIME);
	case BENCH_STIMECMP:
		return ROUND("csrw 0x14d, a0", FAR + i, 0, 0, 0);
	case BENCH_CONSOLE:
		return console_round();
	case BENCH_IPI_SELF:
		return ipi_round();
	case BENCH_FENCE_SELF: /* of nothing else: a2 and a3 are 0, which means all of it */
		return ROUND("ecall", 1, 0, 1, SBI_RFENCE);
	case BENCH_YIELD:
		return ROUND("ecall", 0, 0, 0, YIELD) / 2;
	case BENCH_IPI_SEND:
		return other_round(&way);
	case BENCH_IPI_OTHER:
		other_round(&way);
		return way;
	default:
		return ROUND("", 0, 0, 0, 0);
	}
}

/* A store into each of `pages` pages; then the host is asked to undo them. */
static void dirty(uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		*(volatile uint64_t *)(BENCH_LARGE + i * 4096) = i;
	hatch_guest_call(BENCH_EID, 0, 0, 0);
}

/* a0 is always the count of a moment ago. */
static void spin(void)
{
	__asm__ volatile("1: rdinstret a0\nj 1b" ::: "a0");
}

/* a0 is the argument of what the host measures, otherwise the hart's id. */
int main(uint64_t argument, uint64_t what)
{
	uint64_t least = UINT64_MAX, most = 0;

	if (what == BENCH_DIRTY)
		dirty(argument);
	if (what == BENCH_SPIN)
		spin();
	for (uint64_t i = 0; what == BENCH_YIELDS && i < 4 * BENCH_ROUNDS; i++)
		hatch_guest_call(YIELD, 0, 0, 0);
	if (what == BENCH_IPI_SEND || what == BENCH_IPI_OTHER)
		start_other();
	for (uint64_t i = 0; i < 2 * BENCH_ROUNDS; i++) {
		/* Two readings without anything between them are one apart. */
		uint64_t n = round_of((enum bench_guest)what, i) - 1;

		if (i < BENCH_ROUNDS)
			continue;
		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	hatch_guest_call(BENCH_REPORT, 0, least, most);
	return 0;
}
