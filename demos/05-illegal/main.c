/* SPDX-License-Identifier: MIT */
/*
 * The CPU lacks an instruction; the catch computes it. The guest cannot tell the difference.
 */
#include "demo.h"

/* gcd rd, rs1, rs2: opcode custom-0 with funct3 = 0 and funct7 = 0 */
#define GCD_MASK  0xfe00707f
#define GCD_MATCH 0x0000000b

static uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* The encoding names the operands' registers; RESUME puts the result into its rd. */
static enum hatch_verdict on_gcd(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	uint32_t encoding = ev->illegal.encoding;
	uint64_t a, b;

	(void)arg;
	demo_need(hatch_cont_get(k, encoding >> 15 & 31, &a), "rs1");
	demo_need(hatch_cont_get(k, encoding >> 20 & 31, &b), "rs2");
	printf("caught: gcd of %llu and %llu\n", demo_number(a), demo_number(b));
	return hatch_resume(k, gcd(a, b));
}

static enum hatch_verdict on_show(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	printf("the guest shows %llu\n", demo_number(ev->hypercall.arg[0]));
	return hatch_resume(k, 0);
}

int main(void)
{
	static struct demo demo;
	struct hatch_catch on_illegal = HATCH_ON_ILLEGAL(GCD_MASK, GCD_MATCH, on_gcd, NULL);
	struct hatch_catch on_call = HATCH_ON_HYPERCALL(HATCH_DEMO_EID, on_show, NULL);

	on_illegal.registers = true; /* on_gcd reads registers of the guest's choice */
	demo_begin(&demo);
	demo_catch(&demo, &on_illegal);
	demo_catch(&demo, &on_call);
	hatch_try_run(&demo.t);
	return demo_end(&demo);
}
