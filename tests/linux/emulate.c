/* SPDX-License-Identifier: MIT */
/*
 * A Linux program for a CPU with Zba, Zbb and Zbs, without a C library: what tests/linux/emulate
 * runs on a CPU without. Prints a number that only all the right results give. With an argument:
 * "newer" does so with Zcb, Zicond and Zfa, "swap" tries a compare-and-swap of Zacas.
 */
#include <stdint.h>

#define ROUNDS	   1000
#define SYS_WRITE  64
#define SYS_EXIT   93
#define HEX_DIGITS 16

static long system_call(long number, long a, long b, long c)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
	return a0;
}

/* rol, cpop, clz, binv and sh3add, one each, when the compiler knows of them. */
static uint64_t mix(uint64_t x, uint64_t i)
{
	uint64_t rotated = x << (i & 63) | x >> (-i & 63);

	x += rotated + (uint64_t)__builtin_popcountll(x);
	x ^= (uint64_t)__builtin_clzll(x | 1) << 32;
	x ^= (uint64_t)1 << (i & 63);
	return x + (i << 3);
}

static void swap_at_once(void)
{
	static int word;

	/* amocas.w a0, a1, (word) */
	__asm__ volatile(".insn r 0x2f, 2, 0x14, a0, %0, zero" : : "r"(&word) : "a0", "memory");
}

/* 6 * 7, kept since 7 is not 0, plus 2.5 * 4. This compiler does not know the instructions. */
static uint64_t newer(void)
{
	register uint64_t a0 __asm__("a0") = 6;
	register uint64_t a1 __asm__("a1") = 7;
	register double fa0 __asm__("fa0");

	__asm__("	.half 0x9d4d\n"			  /* c.mul a0, a1 */
		"	.insn r 0x33, 5, 7, a0, a0, a1\n" /* czero.eqz a0, a0, a1 */
		"	.word 0xf21a8553\n"		  /* fli.d fa0, 2.5 */
		: "+r"(a0), "=f"(fa0)
		: "r"(a1));
	return a0 + (uint64_t)(fa0 * 4);
}

static uint64_t compute(char what)
{
	uint64_t x = 0x9e3779b97f4a7c15;

	if (what == 'n')
		return newer();
	if (what == 's')
		swap_at_once();
	for (uint64_t i = 0; i < ROUNDS; i++)
		x = mix(x, i);
	return x;
}

/* What the kernel leaves on the stack: argc, argv[0], argv[1], ... */
__attribute__((used)) static void begin(char *const *stack)
{
	static const char digits[] = "0123456789abcdef";
	char text[HEX_DIGITS + 1];
	uint64_t x = compute(stack[2] ? *stack[2] : 0);

	for (int i = 0; i < HEX_DIGITS; i++)
		text[i] = digits[x >> (60 - 4 * i) & 15];
	text[HEX_DIGITS] = '\n';
	system_call(SYS_WRITE, 1, (long)text, sizeof(text));
	system_call(SYS_EXIT, 0, 0, 0);
}

__asm__("	.globl _start\n"
	"_start:	mv a0, sp\n"
	"	andi sp, sp, -16\n"
	"	j begin\n");
