/* SPDX-License-Identifier: MIT */
/* Random numbers, and guests made of them. */
#include "plan_random.h"

static uint64_t state;

uint64_t plan_bits(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(0x2545f4914f6cdd1d);
}

int plan_below(int n)
{
	return (int)((plan_bits() >> 33) % (unsigned int)n);
}

bool plan_one_in(int n)
{
	return plan_below(n) == 0;
}

/* Signs and zeros where they matter. */
uint64_t plan_value(void)
{
	static const uint64_t edges[] = { 0, 1, 0x80, 0x7fff, 0x8000, 0x80000000, UINT64_MAX };

	return plan_one_in(2) ? edges[plan_below(7)] : plan_bits() >> plan_below(60);
}

void plan_seed(uint64_t seed)
{
	state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (int i = 0; i < 4; i++)
		plan_bits();
}

/* ---- Events ---- */

enum { A0 = 10, A1 = 11, A2 = 12 };

static uint8_t result_register(void)
{
	static const uint8_t registers[] = { 0, 1, 3, 5, 9, 10, 11, 18, 27, 31 };

	return registers[plan_below(10)];
}

/* A load into `result` or a store from a1, at the address in a2. */
static void make_access(struct plan_event *ev)
{
	unsigned int log = (unsigned int)plan_below(4);
	bool compressed = log >= 2 && plan_one_in(3);
	unsigned int result = compressed ? A0 : result_register();

	ev->width = (uint8_t)(1U << log);
	ev->write = plan_one_in(2);
	ev->sign = !ev->write && (log == 3 || compressed || plan_one_in(2));
	ev->length = compressed ? 2 : 4;
	ev->result = ev->write ? 0 : (uint8_t)result;
	ev->key &= ~(uint64_t)(ev->width - 1);
	if (compressed && ev->write)
		ev->code = log == 2 ? 0xc20c : 0xe20c;
	else if (compressed)
		ev->code = log == 2 ? 0x4208 : 0x6208;
	else if (ev->write)
		ev->code = A1 << 20 | A2 << 15 | log << 12 | 0x23;
	else
		ev->code = A2 << 15 | (ev->sign ? log : log + 4) << 12 | result << 7 | 0x03;
}

static void make_illegal(struct plan_event *ev)
{
	ev->result = result_register();
	ev->length = 4;
	ev->code = (unsigned int)plan_below(3) << 25 | A1 << 20 | A2 << 15 |
		   (unsigned int)plan_below(3) << 12 | (unsigned int)ev->result << 7 | 0x0b;
	if (plan_one_in(4)) { /* reserved encodings of 16 bits */
		ev->code = plan_one_in(2) ? 0x0004 : 0x4002;
		ev->length = 2;
	}
	if (plan_one_in(8)) { /* zeros: not even its length is known */
		ev->code = 0;
		ev->length = 0;
	}
	ev->key = ev->code;
}

/* Counters, which a guest may read unless somebody asks; and CSRs that are not the guest's. */
static void make_csr(struct plan_event *ev)
{
	static const uint16_t numbers[] = { CSR_CYCLE, CSR_TIME, CSR_INSTRET, 0x600, 0x602, 0x643 };
	int which = plan_below(6);
	unsigned int op = which < 3 ? 2 : 1 + (unsigned int)plan_below(3);

	ev->key = numbers[which];
	ev->value = which < 3 ? 0 : ev->value;
	ev->result = result_register();
	ev->code = (uint32_t)ev->key << 20 | (which < 3 ? 0 : A1) << 15 | op << 12 |
		   (unsigned int)ev->result << 7 | 0x73;
}

static void make_event(struct plan_event *ev, const struct plan_limits *limits)
{
	/* The last three are not for the machine: no guest brings them about at will. */
	static const enum hatch_kind kinds[] = {
		HATCH_HYPERCALL,  HATCH_HYPERCALL, HATCH_HYPERCALL, HATCH_MMIO,	     HATCH_MMIO,
		HATCH_MMIO,	  HATCH_PAGE,	   HATCH_ILLEGAL,   HATCH_CSR,	     HATCH_WFI,
		HATCH_BREAKPOINT, HATCH_FAULT,	   HATCH_SYSCALL,   HATCH_INTERRUPT, HATCH_DEADLINE,
	};

	*ev = (struct plan_event){ .kind = kinds[plan_below(limits->machine ? 12 : 15)],
				   .length = 4 };
	ev->value = plan_bits() >> 33;
	ev->bare = plan_one_in(4);
	ev->brought = plan_one_in(2);
	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		ev->key = ev->kind == HATCH_SYSCALL ? (uint64_t)plan_below(4)
						    : PLAN_EXTENSION + (uint64_t)plan_below(3);
		ev->function = (uint64_t)plan_below(3);
		ev->result = A0;
		ev->code = 0x73;
		break;
	case HATCH_MMIO:
	case HATCH_PAGE:
		ev->key = ev->kind == HATCH_MMIO ? PLAN_DEVICE + (uint64_t)plan_below(48)
						 : PLAN_LAZY + (uint64_t)plan_below(3) * 4096 +
							   (uint64_t)plan_below(16);
		make_access(ev);
		break;
	case HATCH_ILLEGAL:
		make_illegal(ev);
		break;
	case HATCH_CSR:
		make_csr(ev);
		break;
	case HATCH_WFI:
		ev->code = 0x10500073;
		break;
	case HATCH_BREAKPOINT:
		ev->length = plan_one_in(2) ? 2 : 4;
		ev->code = ev->length == 2 ? 0x9002 : 0x00100073;
		break;
	case HATCH_FAULT: /* hfence.gvma is not for guests */
		ev->code = 0x62000073;
		ev->key = CAUSE_VIRTUAL_INSTRUCTION;
		break;
	case HATCH_DEADLINE: /* spins for so many ticks */
		ev->value = (uint64_t)plan_below(20);
		ev->length = 0;
		break;
	default:
		ev->key = plan_one_in(2) ? 1 : 9;
		ev->length = 0;
	}
}

void plan_make_guest(struct plan_event *events, uint8_t guest, const struct plan_limits *limits)
{
	int length = 1 + plan_below(PLAN_EVENTS - 1);

	for (int i = 0; i < PLAN_EVENTS; i++) {
		make_event(&events[i], limits);
		events[i].off = i >= length;
		if (i > 0 &&
		    plan_one_in(3)) /* the same again: what was remembered must still hold */
			events[i] = events[i - 1];
		events[i].off = i >= length;
	}
	events[PLAN_EVENTS - 1] = (struct plan_event){
		.kind = HATCH_HYPERCALL, .key = PLAN_END, .length = 4, .result = A0, .code = 0x73
	};
	for (int i = 0; i < PLAN_EVENTS; i++)
		events[i].guest = guest;
}
