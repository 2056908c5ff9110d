/* SPDX-License-Identifier: MIT */
/*
 * Guests of the model's plans as real instructions. The code of an event: give all registers
 * known values, run the instruction, note all registers, go on; and a trap vector that notes them
 * too, with the exception.
 */
#include <hatch/board.h>

#include "play.h"

enum { X0 = 0, S0 = SEEN_BASE, A0 = 10, A1 = 11, A2 = 12, A6 = 16, A7 = 17, T5 = 30, T6 = 31 };
enum { CODE_BYTES = (int)(SEEN_RECORDS - PLAN_RAM) };

/* Of each guest the pc of each event, and of the instruction in it. */
static struct {
	uint64_t start[PLAN_EVENTS], instruction[PLAN_EVENTS];
} place[PLAN_TRIES];

static uint8_t code[CODE_BYTES];
static unsigned int at; /* bytes */
static bool full;

/* ---- Instructions ---- */

static void put16(uint32_t raw)
{
	if (at + 2 > CODE_BYTES) {
		full = true;
		return;
	}
	code[at++] = (uint8_t)raw;
	code[at++] = (uint8_t)(raw >> 8);
}

static void put(uint32_t raw)
{
	put16(raw);
	put16(raw >> 16);
}

static void patch(unsigned int where, uint32_t raw)
{
	unsigned int end = at;

	at = where;
	put(raw);
	at = end;
}

static uint32_t i_type(uint32_t opcode, uint32_t funct3, uint32_t rd, uint32_t rs1, int32_t imm)
{
	return (uint32_t)imm << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}

static void addi(uint32_t rd, uint32_t rs1, int32_t imm)
{
	put(i_type(0x13, 0, rd, rs1, imm));
}

static void slli(uint32_t rd, int32_t shift)
{
	put(i_type(0x13, 1, rd, rd, shift));
}

static void srli(uint32_t rd, int32_t shift)
{
	put(i_type(0x13, 5, rd, rd, shift));
}

/* sd from a register to the word of the record that s0 leads to. */
static void note(uint32_t rs2, int event, uint32_t word)
{
	int32_t offset = (int32_t)(SEEN_RECORDS - SEEN_POINTER) +
			 (event * SEEN_ROOM + (int32_t)word) * 8;
	uint32_t imm = (uint32_t)offset;

	put((imm >> 5 & 127) << 25 | rs2 << 20 | S0 << 15 | 3 << 12 | (imm & 31) << 7 | 0x23);
}

static uint32_t jump(int32_t offset)
{
	uint32_t imm = (uint32_t)offset;

	return (imm >> 20 & 1) << 31 | (imm >> 1 & 1023) << 21 | (imm >> 11 & 1) << 20 |
	       (imm >> 12 & 255) << 12 | 0x6f;
}

/* li of 32 bits, not sign-extended. */
static void load_constant(uint32_t rd, uint32_t value)
{
	put(((value + 0x800) & 0xfffff000) | rd << 7 | 0x37);
	put(i_type(0x1b, 0, rd, rd, (int32_t)(value << 20) >> 20));
	slli(rd, 32);
	srli(rd, 32);
}

/* ---- The code of an event ---- */

static void set_registers(const struct plan_event *ev)
{
	uint64_t x[32];

	seen_before(ev, x);
	for (uint32_t i = 1; i < 32; i++)
		if (x[i] < 0x800)
			addi(i, X0, (int32_t)x[i]);
		else
			load_constant(i, (uint32_t)x[i]);
}

static void note_registers(int event)
{
	for (uint32_t i = 1; i < 32; i++)
		if (i != S0)
			note(i, event, i);
}

static void note_mark(int event)
{
	load_constant(T6, (uint32_t)SEEN_MARK);
	note(T6, event, 0);
}

static void note_exception(int event)
{
	put(i_type(0x73, 2, T6, X0, 0x143)); /* stval */
	note(T6, event, SEEN_BASE);
	put(i_type(0x73, 2, T6, X0, 0x142)); /* scause */
	addi(T5, X0, 1);
	slli(T5, 63);
	put(T5 << 20 | T6 << 15 | 6 << 12 | T6 << 7 | 0x33); /* or */
	note(T6, event, 0);
}

/* stvec from the code's own address; software interrupts on, so that a wfi does not wait. */
static unsigned int set_vector(void)
{
	unsigned int where = at;

	put(T6 << 7 | 0x17); /* auipc */
	addi(T6, T6, 0);     /* known later */
	put(i_type(0x73, 1, X0, T6, 0x105));
	put(i_type(0x73, 6, X0, 2, 0x104)); /* csrsi sie */
	return where;
}

/* Returns where the two jumps to the next event are to be. */
static void put_event(const struct plan_event *ev, int event, int guest, unsigned int jumps[2])
{
	unsigned int vector;

	place[guest].start[event] = PLAN_RAM + at;
	vector = set_vector();
	set_registers(ev);
	if (ev->length != 4)
		put16(0x0001); /* c.nop: what lies behind a short instruction must not be passed over */
	place[guest].instruction[event] = PLAN_RAM + at;
	if (ev->length == 4)
		put(ev->code);
	else
		put16(ev->code);
	note_registers(event);
	note_mark(event);
	jumps[0] = at;
	put(0);
	patch(vector + 4, i_type(0x13, 0, T6, T6, (int32_t)(at - vector)));
	note_registers(event);
	note_exception(event);
	jumps[1] = at;
	put(0);
}

/* ---- The machine, for play.c ---- */

const struct hatch_memory *machine_memory(void)
{
	return hatch_board_memory();
}

static void write_code(const struct plan *plan, int index)
{
	unsigned int jumps[PLAN_EVENTS][2];
	int next;

	at = 0;
	for (int i = plan_next(plan, index, 0);; i = next) {
		put_event(&plan->event[index][i], i, index, jumps[i]);
		next = plan_next(plan, index, i + 1);
		if (i == PLAN_EVENTS - 1)
			break;
	}
	for (int i = plan_next(plan, index, 0);; i = next) {
		next = i == PLAN_EVENTS - 1 ? i : plan_next(plan, index, i + 1);
		for (int j = 0; j < 2; j++)
			patch(jumps[i][j], jump((int32_t)(place[index].start[next] - PLAN_RAM) -
						(int32_t)jumps[i][j]));
		if (i == PLAN_EVENTS - 1)
			break;
	}
}

static bool is_bad;

void machine_prepare(const struct plan *plan, int index, struct hatch_guest *guest,
		     struct hatch_vcpu *vcpu)
{
	hatch_gpa ram = hatch_gpa_of(PLAN_RAM);

	full = false;
	write_code(plan, index);
	is_bad |= full || hatch_guest_init(guest, machine_memory()) ||
		  hatch_guest_add_ram(guest, ram, PLAN_RAM_SIZE) ||
		  hatch_guest_add_lazy(guest, hatch_gpa_of(PLAN_LAZY), PLAN_LAZY_SIZE) ||
		  hatch_guest_write(guest, ram, code, at) || hatch_vcpu_init(vcpu, guest);
	__asm__ volatile("fence.i" ::: "memory");
	hatch_vcpu_reset(vcpu, hatch_gpa_of(place[index].start[plan_next(plan, index, 0)]), 0, 0);
	hatch_vcpu_raise(vcpu, HVIP_VSSIP);
}

int machine_event_at(const struct plan *plan, int index, uint64_t pc)
{
	for (int i = plan_next(plan, index, 0); i < PLAN_EVENTS;
	     i = plan_next(plan, index, i + 1)) {
		if (pc == place[index].start[i] || pc == place[index].instruction[i])
			return i;
		if (i == PLAN_EVENTS - 1)
			break;
	}
	return -1;
}

void machine_end(struct trace *trace)
{
	if (is_bad)
		trace_add(trace, TRACE_WRONG, 0, 0, __LINE__, 0, 0);
	is_bad = false;
}
