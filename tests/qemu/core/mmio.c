/* SPDX-License-Identifier: MIT */
/*
 * Loads and stores of a device: every width, sign, register and encoding. Each instruction stands
 * twice, so that the first takes the long road and the second the fast path; QEMU 10 tells it by
 * htinst, QEMU 7.2 has it fetched.
 */
#include "world.h"

#define ANSWER	UINT64_C(0x8192a3b4c5d6e7f8)
#define FILL(n) (UINT64_C(0x1111111111111111) * ((n) % 15 + 1) ^ (n) << 3)
#define PAGE	4096

static struct world w;

/* What the device saw. */
struct seen {
	unsigned int events;
	uint64_t offset, value, length;
	unsigned int width, rd;
	bool write, fp;
};

static struct seen seen;

static enum hatch_verdict on_device(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	seen = (struct seen){
		.events = seen.events + 1,
		.offset = ev->mmio.offset,
		.value = ev->mmio.value,
		.length = ev->length,
		.width = ev->mmio.width,
		.write = ev->mmio.write,
		.fp = ev->mmio.fp,
	};
	return hatch_resume(k, ANSWER);
}

static enum hatch_verdict on_break(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_unwind(k, 0);
}

GUEST(nothing, "	nop\n");

static struct hatch_catch device, stop;

static void begin(void)
{
	world_of(&w, nothing);
}

/* One kind of instruction, as an encoding with rd and rs1 (or rs2 and rs1) left out. */
struct form {
	const char *name;
	uint32_t base;
	uint8_t width;
	bool write, sign, fp;
	bool compressed; /* registers x8 to x15 only */
};

static const struct form forms[] = {
	{ "lb", 0x00000003, 1, false, true, false, false },
	{ "lh", 0x00001003, 2, false, true, false, false },
	{ "lw", 0x00002003, 4, false, true, false, false },
	{ "ld", 0x00003003, 8, false, true, false, false },
	{ "lbu", 0x00004003, 1, false, false, false, false },
	{ "lhu", 0x00005003, 2, false, false, false, false },
	{ "lwu", 0x00006003, 4, false, false, false, false },
	{ "flw", 0x00002007, 4, false, false, true, false },
	{ "fld", 0x00003007, 8, false, false, true, false },
	{ "sb", 0x00000023, 1, true, false, false, false },
	{ "sh", 0x00001023, 2, true, false, false, false },
	{ "sw", 0x00002023, 4, true, false, false, false },
	{ "sd", 0x00003023, 8, true, false, false, false },
	{ "fsw", 0x00002027, 4, true, false, true, false },
	{ "fsd", 0x00003027, 8, true, false, true, false },
	{ "c.lw", 0x4000, 4, false, true, false, true },
	{ "c.ld", 0x6000, 8, false, true, false, true },
	{ "c.fld", 0x2000, 8, false, false, true, true },
	{ "c.sw", 0xc000, 4, true, false, false, true },
	{ "c.sd", 0xe000, 8, true, false, false, true },
	{ "c.fsd", 0xa000, 8, true, false, true, true },
};

#define FORMS (sizeof(forms) / sizeof(forms[0]))

static uint32_t encode(const struct form *form, unsigned int data, unsigned int base)
{
	if (form->compressed)
		return form->base | (data - 8) << 2 | (base - 8) << 7;
	return form->base | base << 15 | data << (form->write ? 20 : 7);
}

static uint64_t cut(uint64_t value, unsigned int width)
{
	return width == 8 ? value : value & ((UINT64_C(1) << 8 * width) - 1);
}

/* What the register holds after a load. */
static uint64_t loaded(const struct form *form)
{
	uint64_t value = cut(ANSWER, form->width);

	if (form->fp)
		return form->width == 4 ? value | UINT64_C(0xffffffff) << 32 : value;
	if (form->sign && form->width < 8 && value >> (8 * form->width - 1))
		return value | UINT64_MAX << 8 * form->width;
	return value;
}

static void prepare(unsigned int base, uint64_t address, uint64_t pc)
{
	world_again(&w, 0, 0);
	for (unsigned int n = 1; n < 32; n++) {
		w.vcpu.frame.x[n] = FILL(n);
		w.vcpu.fp[n] = ~FILL(n);
	}
	w.vcpu.fp[0] = ~FILL(0);
	w.vcpu.frame.x[base] = address;
	w.vcpu.frame.pc = pc;
	w.vcpu.vs.vsstatus |= SSTATUS_FS;
	device = HATCH_ON_MMIO(WORLD_DEVICE, PAGE, on_device, NULL);
	stop = HATCH_ON_BREAKPOINT(on_break, NULL);
	world_catch(&w, &device);
	world_catch(&w, &stop);
	seen.events = 0;
}

static void compare(const struct form *form, unsigned int data, unsigned int base, uint64_t address)
{
	bool load = !form->write;

	for (unsigned int n = 0; n < 32; n++) {
		uint64_t x = n == 0 ? 0 : n == base ? address : FILL(n);
		uint64_t f = ~FILL(n);

		if (load && !form->fp && n == data && n)
			x = loaded(form);
		if (load && form->fp && n == data)
			f = loaded(form);
		check_that(w.vcpu.frame.x[n] == x, __LINE__, "%s x%u, (x%u): x%u is 0x%llx",
			   form->name, data, base, n, (unsigned long long)w.vcpu.frame.x[n]);
		check_that(w.vcpu.fp[n] == f, __LINE__, "%s %u, (x%u): f%u is 0x%llx", form->name,
			   data, base, n, (unsigned long long)w.vcpu.fp[n]);
	}
}

/* Runs the instruction at `pc`, `times` times in a row, then an ebreak. */
static void run_form(const struct form *form, unsigned int data, unsigned int base, uint64_t pc,
		     unsigned int times)
{
	uint64_t address = WORLD_DEVICE + 0x128, value = form->fp ? ~FILL(data) : FILL(data);
	uint32_t insn = encode(form, data, base);
	unsigned int length = form->compressed ? 2 : 4;

	for (unsigned int i = 0; i < times; i++)
		world_write(&w, pc + i * length, &insn, length);
	world_write(&w, pc + times * length, &(uint16_t){ 0x9002 }, 2);
	prepare(base, address, pc);
	world_run(&w);
	expect_outcome(&w, HATCH_UNWOUND);
	check_that(seen.events == times && seen.offset == 0x128 && seen.width == form->width &&
			   seen.write == form->write && seen.fp == form->fp &&
			   seen.length == length,
		   __LINE__, "%s x%u, (x%u) gave %u events, the last one of %u bytes", form->name,
		   data, base, seen.events, seen.width);
	expect_equal(w.vcpu.frame.pc, pc + times * length);
	if (form->write)
		expect_equal(seen.value, cut(data == base && !form->fp ? address
					     : !data && !form->fp      ? 0
								       : value,
					     form->width));
	compare(form, data, base, address);
}

static void every_form_and_register(void)
{
	begin();
	for (size_t i = 0; i < FORMS; i++) {
		unsigned int first = forms[i].compressed ? 8 : 0,
			     end = forms[i].compressed ? 16 : 32;

		for (unsigned int data = first; data < end; data++)
			run_form(&forms[i], data, data == 10 ? 11 : 10, WORLD_RAM, 2);
	}
	world_end(&w);
}

static void every_base_register(void)
{
	begin();
	for (size_t i = 0; i < FORMS; i++) {
		unsigned int first = forms[i].compressed ? 8 : 1,
			     end = forms[i].compressed ? 16 : 32;

		for (unsigned int base = first; base < end; base++)
			run_form(&forms[i], base == 12 ? 13 : 12, base, WORLD_RAM, 2);
	}
	world_end(&w);
}

/* The base register is overwritten by the load: only one may stand there. */
static void base_register_is_loaded(void)
{
	begin();
	for (size_t i = 0; i < FORMS; i++)
		run_form(&forms[i], 9, 9, WORLD_RAM, 1);
	world_end(&w);
}

/* An instruction that ends a page, and one that lies across two. */
static void instructions_at_page_ends(void)
{
	begin();
	for (size_t i = 0; i < FORMS; i++)
		for (unsigned int back = 2; back <= 8; back += 2)
			run_form(&forms[i], 9, 10, WORLD_RAM + 2 * PAGE - back, 2);
	world_end(&w);
}

/* ---- displacements ------------------------------------------------------------------------ */

#define SP_FORM(name, text)                                                                        \
	GUEST(name, "	li sp, 0x10000000\n"                                                         \
		    "	li a0, 0x10000000\n" text "\n"                                             \
		    "	" text "\n"                                                                \
		    "	c.ebreak\n")

SP_FORM(lwsp, "c.lwsp a1, 252(sp)");
SP_FORM(ldsp, "c.ldsp a1, 504(sp)");
SP_FORM(swsp, "c.swsp a0, 252(sp)");
SP_FORM(sdsp, "c.sdsp a0, 504(sp)");
SP_FORM(fldsp, "c.fldsp fa1, 504(sp)");
SP_FORM(fsdsp, "c.fsdsp fa1, 504(sp)");
SP_FORM(lw_far, "lw a1, 2044(a0)");
SP_FORM(sd_far, "sd a1, 2040(a0)");
SP_FORM(c_lw_far, "c.lw a1, 124(a0)");
SP_FORM(c_sd_far, "c.sd a1, 248(a0)");

static void displacement(const uint8_t *code, const uint8_t *end, uint64_t offset,
			 unsigned int width)
{
	world_begin(&w, code, end);
	prepare(10, 0, WORLD_RAM);
	world_run(&w);
	expect_outcome(&w, HATCH_UNWOUND);
	expect_equal(seen.events, 2);
	expect_equal(seen.offset, offset);
	expect_equal(seen.width, width);
	world_end(&w);
}

#define DISPLACEMENT(name, offset, width) displacement(name, name##_end, offset, width)

static void displacements_and_the_stack_pointer(void)
{
	DISPLACEMENT(lwsp, 252, 4);
	DISPLACEMENT(ldsp, 504, 8);
	DISPLACEMENT(swsp, 252, 4);
	DISPLACEMENT(sdsp, 504, 8);
	DISPLACEMENT(fldsp, 504, 8);
	DISPLACEMENT(fsdsp, 504, 8);
	DISPLACEMENT(lw_far, 2044, 4);
	DISPLACEMENT(sd_far, 2040, 8);
	DISPLACEMENT(c_lw_far, 124, 4);
	DISPLACEMENT(c_sd_far, 248, 8);
}

/* ---- edges -------------------------------------------------------------------------------- */

/* A load of eight bytes at a0, twice. */
GUEST(edge, "	ld a1, 0(a0)\n"
	    "	ld a1, 0(a0)\n"
	    "	c.ebreak\n");

static enum hatch_outcome load_at(uint64_t address)
{
	world_of(&w, edge);
	prepare(10, address, WORLD_RAM);
	world_run(&w);
	world_end(&w);
	return w.t.outcome;
}

static void misaligned_within_the_device(void)
{
	for (uint64_t offset = 0; offset <= PAGE - 8; offset += offset < 16 ? 1 : 255) {
		expect_equal(load_at(WORLD_DEVICE + offset), HATCH_UNWOUND);
		expect_equal(seen.events, 2);
		expect_equal(seen.offset, offset);
		expect_equal(w.vcpu.frame.x[11], ANSWER);
	}
}

/* The clause has a part of the access only: it is not asked. */
static void access_that_ends_outside_is_uncaught(void)
{
	for (uint64_t past = 1; past < 8; past++) {
		expect_equal(load_at(WORLD_DEVICE + PAGE - 8 + past), HATCH_UNCAUGHT);
		expect_equal(seen.events, 0);
		expect_equal(load_at(WORLD_DEVICE - past), HATCH_UNCAUGHT);
		expect_equal(seen.events, 0);
	}
}

/* The access begins in RAM and ends where none is: nobody can answer half of it. */
static void access_across_the_end_of_ram(void)
{
	for (uint64_t before = 1; before < 8; before++) {
		expect_equal(load_at(WORLD_RAM + WORLD_RAM_SIZE - before), HATCH_UNCAUGHT);
		expect_equal(w.t.event.kind, HATCH_FAULT);
		expect_equal(w.t.event.fault.cause, CAUSE_LOAD_GUEST_PAGE_FAULT);
	}
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(every_form_and_register),
		CHECK(every_base_register),
		CHECK(base_register_is_loaded),
		CHECK(instructions_at_page_ends),
		CHECK(displacements_and_the_stack_pointer),
		CHECK(misaligned_within_the_device),
		CHECK(access_that_ends_outside_is_uncaught),
		CHECK(access_across_the_end_of_ram),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
