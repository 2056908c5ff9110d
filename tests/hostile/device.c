/* SPDX-License-Identifier: MIT */
/*
 * Guests that touch every device of the machine, and the space between them, with every
 * instruction that accesses memory.
 */
#include "arena.h"

static struct arena arena;

/*
 * Does the instruction at `slot` with a0 (and sp) = each address from a0 below a2, a3 apart, and
 * data a1 = a4 and fa1; steps over what traps. Counts in s0.
 */
GUEST(toucher, "	on_trap_skip\n"
	       "	li t0, 0x6000\n"
	       "	csrs sstatus, t0\n"
	       "	fmv.d.x fa1, a4\n"
	       "	li s0, 0\n"
	       "1:	mv a1, a4\n"
	       "	mv sp, a0\n"
	       "	.globl toucher_slot\n"
	       "toucher_slot:\n"
	       "	.word 0x13\n"
	       "	addi s0, s0, 1\n"
	       "	add a0, a0, a3\n"
	       "	bltu a0, a2, 1b\n"
	       "	li a0, 0\n"
	       "	quit\n");
extern const uint8_t toucher_slot[];

/* Four bytes each: a compressed one is followed by c.nop. */
GUEST(accesses, "	.option norvc\n"
		"	lb a1, 0(a0)\n"
		"	lbu a1, 0(a0)\n"
		"	lh a1, 0(a0)\n"
		"	lhu a1, 0(a0)\n"
		"	lw a1, 0(a0)\n"
		"	lwu a1, 0(a0)\n"
		"	ld a1, 0(a0)\n"
		"	ld zero, 0(a0)\n"
		"	ld a1, 2047(a0)\n"
		"	flw fa1, 0(a0)\n"
		"	fld fa1, 0(a0)\n"
		"	sb a1, 0(a0)\n"
		"	sh a1, 0(a0)\n"
		"	sw a1, 0(a0)\n"
		"	sd a1, 0(a0)\n"
		"	sd a1, -2048(a0)\n"
		"	fsw fa1, 0(a0)\n"
		"	fsd fa1, 0(a0)\n"
		"	lr.w a1, (a0)\n"
		"	lr.d a1, (a0)\n"
		"	sc.w a1, a1, (a0)\n"
		"	sc.d a1, a1, (a0)\n"
		"	amoadd.w a1, a1, (a0)\n"
		"	amoswap.d a1, a1, (a0)\n"
		"	amomaxu.w a1, a1, (a0)\n"
		"	.option rvc\n"
		"	c.lw a1, 0(a0)\n"
		"	c.nop\n"
		"	c.ld a1, 0(a0)\n"
		"	c.nop\n"
		"	c.sw a1, 0(a0)\n"
		"	c.nop\n"
		"	c.sd a1, 0(a0)\n"
		"	c.nop\n"
		"	c.fld fa1, 0(a0)\n"
		"	c.nop\n"
		"	c.fsd fa1, 0(a0)\n"
		"	c.nop\n"
		"	c.lwsp a1, 0(sp)\n"
		"	c.nop\n"
		"	c.ldsp a1, 0(sp)\n"
		"	c.nop\n"
		"	c.swsp a1, 0(sp)\n"
		"	c.nop\n"
		"	c.sdsp a1, 0(sp)\n"
		"	c.nop\n"
		"	c.fldsp fa1, 0(sp)\n"
		"	c.nop\n"
		"	c.fsdsp fa1, 0(sp)\n"
		"	c.nop\n");

static void prepare(const uint8_t *instruction, uint64_t address)
{
	arena_again(&arena, address, 0);
	world_write(&arena.w, WORLD_RAM + (uint64_t)(toucher_slot - toucher), instruction, 4);
}

/* One instruction over [first, first + size); goes on behind an access that ended the guest. */
static void touch(const uint8_t *instruction, uint64_t first, uint64_t size, uint64_t step)
{
	uint64_t next = first, done = 0;

	do {
		prepare(instruction, next);
		*arena_x(&arena, 12) = first + size;
		*arena_x(&arena, 13) = step;
		*arena_x(&arena, 14) = check_random() >> check_random() % 64;
		arena_run(&arena, ARENA_LONG);
		done += *arena_x(&arena, 8) + !arena.quit;
		next = *arena_x(&arena, 10) + step;
	} while (!arena.quit && arena.w.t.outcome == HATCH_DONE && next < first + size);
	expect_equal(done, (size + step - 1) / step);
}

static void touch_all(uint64_t first, uint64_t size, uint64_t step)
{
	for (const uint8_t *i = accesses; i < accesses_end; i += 4)
		touch(i, first, size, step);
}

static void begin(uint64_t seed)
{
	arena_of(&arena, toucher);
	check_seed(seed);
}

static void uart(void)
{
	begin(23);
	touch_all(HATCH_MACHINE_UART - 9, 0x120, 1);
	touch_all(HATCH_MACHINE_UART, 0x1000, 0xf7);
	arena_end(&arena);
}

static void rtc(void)
{
	begin(29);
	touch_all(HATCH_MACHINE_RTC - 9, 0x60, 1);
	touch_all(HATCH_MACHINE_RTC, 0x1010, 0xf7);
	arena_end(&arena);
}

static void finisher(void)
{
	begin(31);
	touch_all(HATCH_MACHINE_FINISHER - 9, 0x20, 1);
	touch_all(HATCH_MACHINE_FINISHER, 0x1000, 0xf7);
	arena_end(&arena);
}

static void plic(void)
{
	static const uint64_t parts[] = { 0,	  0x1000,   0x2000,   0x2080,	0x2800,
					  0x3000, 0x200000, 0x201000, 0x202000, 0x4000000 };

	begin(37);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		touch_all(HATCH_MACHINE_PLIC + parts[i] - 9, 0x40, 1);
	touch_all(HATCH_MACHINE_PLIC, 0x1000, 0x55);
	touch_all(HATCH_MACHINE_PLIC, 0x4000000, 0x101235);
	arena_end(&arena);
}

/* From before the first one to behind the last one's place, and the rooms between them. */
static void empty_slots(void)
{
	begin(43);
	touch_all(HATCH_MACHINE_VIRTIO - 9, 0x20, 1);
	touch_all(HATCH_MACHINE_VIRTIO + HATCH_VIRTIO_SIZE - 9, 0x20, 1);
	touch_all(HATCH_MACHINE_VIRTIO + 0x100 - 9, 0x20, 1);
	touch_all(HATCH_MACHINE_VIRTIO,
		  (HATCH_MACHINE_VIRTIO_SLOTS + 1) * HATCH_MACHINE_VIRTIO_STRIDE, 0x35);
	arena_end(&arena);
}

static void between_devices(void)
{
	begin(41);
	touch_all(0, 0x20, 1);
	touch_all(0, WORLD_RAM, 0x3fffff1);
	touch_all(WORLD_RAM + WORLD_RAM_SIZE - 12, 0x20, 1);
	touch_all(WORLD_RAM + WORLD_RAM_SIZE, UINT64_C(1) << 32, 0x8123457);
	touch_all((uintptr_t)check_canary(), 4096, 0xf9);
	touch_all((UINT64_C(1) << 41) - 16, 32, 1);
	touch_all((UINT64_C(1) << 56) - 16, 32, 1);
	touch_all(UINT64_MAX - 20, 20, 1);
	arena_end(&arena);
}

/* What the finisher does obey, with every width: a word of 0x5555, 0x3333 or 0x7777. */
static void finisher_commands(void)
{
	static const uint64_t commands[] = { 0x5555, 0x3333, 0x13333, 0x7777, 0xff003333 };

	arena_of(&arena, toucher);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (const uint8_t *insn = accesses; insn < accesses_end; insn += 4) {
			prepare(insn, HATCH_MACHINE_FINISHER);
			*arena_x(&arena, 14) = commands[i];
			arena_run(&arena, ARENA_LONG);
		}
	expect(arena.tally.reset >= 5);
	arena_end(&arena);
}

/* Every word of every device is stored to, then the interrupts are let in. */
GUEST(interrupted, "	la t0, 2f\n"
		   "	csrw stvec, t0\n"
		   "	li t0, 0x222\n"
		   "	csrw sie, t0\n"
		   "	csrsi sstatus, 2\n"
		   "1:	sw a2, 0(a0)\n"
		   "	lw a3, 0(a0)\n"
		   "	addi a0, a0, 4\n"
		   "	bltu a0, a1, 1b\n"
		   "	li a0, 0\n"
		   "	quit\n"
		   "	.balign 4\n"
		   "2:	csrr t0, scause\n"
		   "	bltz t0, 3f\n"
		   "	csrr t0, sepc\n"
		   "	addi t0, t0, 4\n"
		   "	csrw sepc, t0\n"
		   "	sret\n"
		   "3:	csrw sie, zero\n"
		   "	sret\n");

static void devices_with_interrupts_on(void)
{
	static const uint64_t places[][2] = {
		{ HATCH_MACHINE_PLIC, HATCH_MACHINE_PLIC + 0x400 },
		{ HATCH_MACHINE_PLIC + 0x2000, HATCH_MACHINE_PLIC + 0x2400 },
		{ HATCH_MACHINE_PLIC + 0x200000, HATCH_MACHINE_PLIC + 0x202000 },
		{ HATCH_MACHINE_RTC, HATCH_MACHINE_RTC + 0x40 },
		{ HATCH_MACHINE_UART, HATCH_MACHINE_UART + 0x10 },
	};
	static const uint64_t values[] = { 0, 1, 7, 0xff, UINT64_MAX, 0x7fffffff };

	arena_of(&arena, interrupted);
	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			arena_again(&arena, places[i][0], places[i][1]);
			*arena_x(&arena, 12) = values[v];
			arena_run(&arena, ARENA_LONG);
		}
	arena_end(&arena);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(uart),
		CHECK(rtc),
		CHECK(finisher),
		CHECK(finisher_commands),
		CHECK(plic),
		CHECK(empty_slots),
		CHECK(between_devices),
		CHECK(devices_with_interrupts_on),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
