/* SPDX-License-Identifier: MIT */
/*
 * Every emulated instruction, in a guest, with many operands. The sums of the results were taken
 * where QEMU 10 executes the instructions itself: a CPU without them must come to the same, and
 * so must one with them, where none traps. (QEMU 7.2 has its own opinion of ctzw.)
 */
#include <string.h>

#include <libfdt.h>

#include <hatch/board.h>
#include <hatch/handlers/isa.h>

#include "isa_forms.h"
#include "world.h"

/* How many for each instruction; the sums are those of SUMMED. */
#define SUMMED 2048
#ifndef OPERANDS
#define OPERANDS SUMMED
#endif

#define LATE_MOST   100
#define CHUNK	    4096 /* operands that fit into the guest at a time */
#define OPERAND	    WORLD_DATA
#define RESULT	    (WORLD_DATA + 0x10000)
#define BUFFER	    (WORLD_DATA + 0x40000) /* what loads and stores touch */
#define BUFFER_SIZE 512
#define SLOT	    0x00100013 /* stands where the instruction goes */

static struct world w;
static struct hatch_emulator emulator;
static bool missing; /* the CPU lacks the extension that is checked */

/*
 * s2: operands, two each; s3: results, four each; s4: how many; a0 is masked with s5 and moved by
 * s6, so that it can be an address. Each round has another dynamic rounding mode, of those that
 * there are.
 */
GUEST(loop, "	.option norvc\n"
	    "	li s7, 5\n"
	    "1:	ld a0, 0(s2)\n"
	    "	ld a1, 8(s2)\n"
	    "	fld fa0, 0(s2)\n"
	    "	fld fa1, 8(s2)\n"
	    "	fmv.d.x fa2, zero\n"
	    "	and a0, a0, s5\n"
	    "	add a0, a0, s6\n"
	    "	li a2, 0\n"
	    "	remu t0, s4, s7\n"
	    "	slli t0, t0, 5\n"
	    "	fscsr t0\n"
	    "	.word 0x00100013\n"
	    "	frcsr t0\n"
	    "	sd a0, 0(s3)\n"
	    "	sd a2, 8(s3)\n"
	    "	fsd fa2, 16(s3)\n"
	    "	sd t0, 24(s3)\n"
	    "	addi s2, s2, 16\n"
	    "	addi s3, s3, 32\n"
	    "	addi s4, s4, -1\n"
	    "	bnez s4, 1b\n"
	    "	li a0, 0\n"
	    "	quit\n");

static uint64_t slot(void)
{
	const uint32_t mark = SLOT;
	const uint8_t *at = loop;

	while (memcmp(at, &mark, sizeof(mark)))
		at += sizeof(mark);
	return WORLD_RAM + (uint64_t)(at - loop);
}

static uint8_t *memory(uint64_t gpa)
{
	return (uint8_t *)w.guest.region[0].host + (gpa - WORLD_RAM);
}

/* ---- operands ----------------------------------------------------------------------------- */

#define BOXED(single) (UINT64_C(0xffffffff00000000) | (single))

static const uint64_t special[] = {
	0,
	1,
	UINT64_MAX,
	UINT64_C(1) << 63,
	INT64_MAX,
	INT32_MAX,
	UINT32_MAX,
	UINT64_C(0x7ff0000000000000), /* infinity */
	UINT64_C(0xfff0000000000000),
	UINT64_C(0x7ff8000000000000), /* NaN, quiet and signaling */
	UINT64_C(0x7ff0000000000001),
	UINT64_C(0x3fe0000000000000), /* 0.5, 1.5 */
	UINT64_C(0x3ff8000000000000),
	UINT64_C(0x41dfffffffc00000), /* the greatest and the least of 32 bits */
	UINT64_C(0xc1e0000000000000),
	BOXED(0x00000000),
	BOXED(0x80000000),
	BOXED(0x7f800000),
	BOXED(0xff800000),
	BOXED(0x7fc00000),
	BOXED(0x7f800001),
	BOXED(0x3f000000),
	BOXED(0x3fc00000),
	BOXED(0x4b000001), /* just beyond what has a fraction */
};

#define SPECIALS (sizeof(special) / sizeof(special[0]))

/* A number near the integers: the power is small, and most of the fraction's low bits are 0. */
static uint64_t near_integer(unsigned int fraction, unsigned int exponent)
{
	uint64_t random = check_random(), bias = (UINT64_C(1) << (exponent - 1)) - 1;
	uint64_t power = bias - 3 + random % (fraction + 16);
	uint64_t cleared = UINT64_MAX << (random >> 8) % fraction;

	return (random >> 63) << (fraction + exponent) | power << fraction |
	       (check_random() & cleared & ((UINT64_C(1) << fraction) - 1));
}

static uint64_t operand(void)
{
	uint64_t random = check_random();

	switch (random >> 61) {
	case 0:
	case 1:
		return check_random();
	case 2:
		return check_random() >> (random & 63);
	case 3:
		return ~(check_random() >> (random & 63));
	case 4:
		return BOXED((uint32_t)check_random());
	case 5:
		return BOXED(near_integer(23, 8));
	case 6:
		return near_integer(52, 11);
	default:
		return special[random % SPECIALS];
	}
}

static void fill_operands(unsigned int count)
{
	uint64_t *to = (uint64_t *)memory(OPERAND);

	for (unsigned int i = 0; i < count; i++, to += 2) {
		to[0] = operand();
		to[1] = check_random() % 8 ? operand() : to[0]; /* comparisons need equals */
	}
}

/* ---- runs --------------------------------------------------------------------------------- */

static uint64_t add_sum(uint64_t sum, const void *from, size_t size)
{
	const uint64_t *word = from;

	for (size_t i = 0; i < size / sizeof(*word); i++)
		sum = (sum ^ word[i]) * UINT64_C(0x9e3779b97f4a7c15) ^ sum >> 29;
	return sum;
}

/*
 * A million operands take a while, and a host that is busy with other things lets one run be late.
 * That costs nothing but time: the guest goes on where it stood.
 */
static void finish(void)
{
	for (unsigned int i = 0; i < LATE_MOST; i++)
		if (world_run(&w) != HATCH_UNWOUND || w.t.status != WORLD_LATE)
			break;
	expect_outcome(&w, HATCH_DONE);
	expect_equal(w.t.status, 0);
}

static uint64_t run(const struct form *form, uint32_t insn, unsigned int count, uint64_t sum)
{
	uint32_t word = (insn & 3) == 3 ? insn : insn | UINT32_C(0x00010000); /* and a c.nop */

	fill_operands(count);
	world_write(&w, slot(), &word, sizeof(word));
	world_again(&w, 0, 0);
	expect_equal(hatch_emulator_init(&emulator, form->extension), 0);
	expect_equal(hatch_emulator_add(&emulator, &w.t.scope), 0);
	w.vcpu.vs.vsstatus |= SSTATUS_FS;
	w.vcpu.frame.x[18] = OPERAND;
	w.vcpu.frame.x[19] = RESULT;
	w.vcpu.frame.x[20] = count;
	w.vcpu.frame.x[21] = form->memory ? BUFFER_SIZE / 2 - 1 : UINT64_MAX;
	w.vcpu.frame.x[22] = form->memory ? BUFFER : 0;
	finish();
	expect_equal(hatch_emulator_total(&emulator), missing ? count : 0);
	sum = add_sum(sum, memory(RESULT), count * 32);
	return form->memory ? add_sum(sum, memory(BUFFER), BUFFER_SIZE) : sum;
}

/* All variants of an instruction share the operands evenly. */
static uint64_t run_form(const struct form *form)
{
	uint64_t sum = 0;
	unsigned int variants = form->variants, left;

	check_seed(form->insn);
	for (size_t i = 0; i < BUFFER_SIZE; i++)
		*memory(BUFFER + i) = (uint8_t)check_random();
	for (unsigned int v = 0; v < variants; v++)
		for (left = OPERANDS / variants; left; left -= left < CHUNK ? left : CHUNK)
			sum = run(form, form->insn | v << form->shift, left < CHUNK ? left : CHUNK,
				  sum);
	return sum;
}

/* ---- checks ------------------------------------------------------------------------------- */

static bool cpu_has(const char *extension)
{
	const void *fdt = hatch_board_fdt();
	const char *isa = fdt_getprop(fdt, fdt_path_offset(fdt, "/cpus/cpu@0"), "riscv,isa", NULL);
	const size_t length = strlen(extension);

	for (const char *at = isa; at && (at = strstr(at, extension)); at += length)
		if (at[-1] == '_' && (at[length] == '_' || !at[length]))
			return true;
	return false;
}

static void check_extension(const char *extension)
{
	missing = !cpu_has(extension);
	world_of(&w, loop);
	for (const struct form *form = forms; form->name; form++) {
		uint64_t sum;

		if (strcmp(form->extension, extension))
			continue;
		sum = run_form(form);
		if (OPERANDS == SUMMED && sum == form->sum)
			continue;
		check_say("%s 0x%016llx", form->name, (unsigned long long)sum);
		check_that(OPERANDS != SUMMED, __LINE__, "%s gives another sum than QEMU 10",
			   form->name);
	}
	world_end(&w);
}

static void zba(void)
{
	check_extension("zba");
}

static void zbb(void)
{
	check_extension("zbb");
}

static void zbs(void)
{
	check_extension("zbs");
}

static void zicond(void)
{
	check_extension("zicond");
}

static void zcb(void)
{
	check_extension("zcb");
}

static void zfa(void)
{
	check_extension("zfa");
}

/* Compare and swap, and a handler of the guest's own, which ends it with what it was told. */
GUEST(swap, "	.option norvc\n"
	    "	la t0, 1f\n"
	    "	csrw stvec, t0\n"
	    "	la a2, swap\n"
	    "	.word 0x28b6252f\n"
	    "	j 2f\n"
	    "	.balign 4\n"
	    "1:	csrr s0, scause\n"
	    "	csrr s1, stval\n"
	    "	csrr s2, sepc\n"
	    "2:	li a0, 0\n"
	    "	quit\n");

/* No handler is atomic: the guest is told that its CPU has no such instruction. */
static void atomics(void)
{
	char name[HATCH_ATOMIC_NAME];

	if (cpu_has("zacas")) {
		check_say("nothing to refuse: the CPU has Zacas");
		return;
	}
	world_of(&w, swap);
	world_again(&w, 0, 0);
	expect_equal(hatch_emulator_init(&emulator, "all"), 0);
	expect_equal(hatch_emulator_add(&emulator, &w.t.scope), 0);
	expect_done(&w, 0);
	expect_equal(w.vcpu.frame.x[8], CAUSE_ILLEGAL_INSTRUCTION);
	expect(w.vcpu.frame.x[9] == 0x28b6252f || w.vcpu.frame.x[9] == 0);
	expect_equal(emulator.atomic.count, 1);
	expect_equal(emulator.atomic.pc.addr, w.vcpu.frame.x[18]);
	expect(!strcmp(hatch_atomic_name(emulator.atomic.encoding, name, sizeof(name)),
		       "amocas.w"));
	expect_equal(hatch_emulator_total(&emulator), 0);
	world_end(&w);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(zba), CHECK(zbb), CHECK(zbs),	CHECK(zicond),
		CHECK(zcb), CHECK(zfa), CHECK(atomics),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
