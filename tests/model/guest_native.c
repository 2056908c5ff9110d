/* SPDX-License-Identifier: MIT */
/* What guests do on the hart in C, and the door between them and the host. */
#include <string.h>

#include "machine_native.h"

#define POISON UINT64_C(0xbadbadbadbadbad)

/* ---- What the guest does ---- */

static const struct plan_event *event_at(uint64_t pc, int *index)
{
	uint64_t at = pc - PLAN_RAM;
	uint64_t event = at % GUEST_STRIDE / STRIDE;

	*index = (int)(at / GUEST_STRIDE);
	if (at >= PLAN_TRIES * GUEST_STRIDE || event >= PLAN_EVENTS)
		return NULL;
	return &hw.plan->event[*index][event];
}

uint32_t hatch_vcpu_fetch(const struct hatch_vcpu *vcpu)
{
	int index;
	const struct plan_event *ev = event_at(vcpu->frame.pc, &index);

	return ev && vcpu->frame.pc % STRIDE == AT_INSTRUCTION ? ev->code : 0;
}

/* htinst as the specification transforms loads and stores (18.6.3). */
static uint64_t transform(const struct plan_event *ev)
{
	uint32_t code = ev->code;

	if (ev->length == 2) {
		uint32_t log = ev->width == 4 ? 2 : 3;

		code = ev->write ? 11 << 20 | log << 12 | 0x23 : 10 << 7 | log << 12 | 0x03;
		return code & ~2U;
	}
	return ev->write ? code & 0x01f0707f : code & 0x7fff;
}

static void set_trap(const struct plan_event *ev, uint64_t pc)
{
	uint64_t code = ev->bare ? 0 : ev->code;

	switch (ev->kind) {
	case HATCH_HYPERCALL:
		hw.trap = (struct hatch_trap){ CAUSE_VIRTUAL_ECALL, 0, 0, 0 };
		break;
	case HATCH_SYSCALL:
		hw.trap = (struct hatch_trap){ CAUSE_USER_ECALL, 0, 0, 0 };
		break;
	case HATCH_MMIO:
	case HATCH_PAGE:
		hw.trap = (struct hatch_trap){ ev->write ? CAUSE_STORE_GUEST_PAGE_FAULT
							 : CAUSE_LOAD_GUEST_PAGE_FAULT,
					       ev->key, ev->key >> 2,
					       ev->bare ? 0 : transform(ev) };
		break;
	case HATCH_ILLEGAL:
		hw.trap = (struct hatch_trap){ CAUSE_ILLEGAL_INSTRUCTION, code, 0, 0 };
		break;
	case HATCH_BREAKPOINT:
		hw.trap = (struct hatch_trap){ CAUSE_BREAKPOINT, pc, 0, 0 };
		break;
	case HATCH_INTERRUPT:
		hw.trap = (struct hatch_trap){ CAUSE_INTERRUPT | ev->key, 0, 0, 0 };
		if (ev->key == IRQ_S_SOFT) /* without a kick it would be for nobody */
			hatch_vcpu_kick(hw.hart.current);
		break;
	default:
		hw.trap = (struct hatch_trap){ CAUSE_VIRTUAL_INSTRUCTION, code, 0, 0 };
	}
}

/* Whether the hardware does the event without the host; then the guest goes on. */
static bool does_alone(struct hatch_vcpu *vcpu, const struct plan_event *ev, uint64_t *pc)
{
	bool deleg = hw.trap.scause < 64 && (vcpu->confine.hedeleg >> hw.trap.scause & 1);

	if (deleg && !ev->brought) {
		hw.vs.vsepc = *pc;
		hw.vs.vscause = hw.trap.scause;
		hw.vs.vstval = hw.trap.stval;
		*pc = hw.vs.vstvec;
		return true;
	}
	if (ev->kind == HATCH_WFI && !(vcpu->confine.hstatus & HSTATUS_VTW)) {
		*pc += 4;
		return true;
	}
	if (ev->kind != HATCH_CSR || ev->key < CSR_CYCLE ||
	    !(vcpu->confine.hcounteren >> (ev->key & 31) & 1))
		return false;
	hw.x[ev->result] = ev->result ? 4711 : 0;
	*pc += 4;
	return true;
}

static void check_registers(const struct plan_event *ev)
{
	uint64_t expected[32];

	seen_before(ev, expected);
	for (unsigned int i = 0; i < 32; i++)
		CHECK(hw.x[i] == expected[i]);
}

/* Runs the instruction; true: it has trapped to the host. */
static bool run_instruction(struct hatch_vcpu *vcpu, const struct plan_event *ev, uint64_t *pc)
{
	check_registers(ev);
	set_trap(ev, *pc);
	vcpu->frame.sstatus = ev->kind == HATCH_SYSCALL ? 0 : SSTATUS_SPP;
	return !does_alone(vcpu, ev, pc);
}

/* Notes what was found. False: that was a store to a page that wants copying first. */
static bool note(struct hatch_vcpu *vcpu, int index, const struct plan_event *ev, uint64_t *pc,
		 bool vector)
{
	int event = (int)(ev - hw.plan->event[index]);
	hatch_gpa at = hatch_gpa_of(SEEN_RECORDS + (uint64_t)event * SEEN_ROOM * 8);
	uint64_t record[SEEN_ROOM], next;

	memcpy(record, hw.x, sizeof(record));
	record[0] = SEEN_MARK;
	CHECK(hw.x[SEEN_BASE] == SEEN_POINTER);
	if (vector) {
		CHECK(hw.vs.vsepc == *pc - AT_VECTOR + AT_INSTRUCTION);
		record[0] = SEEN_CAUSE | hw.vs.vscause;
		record[SEEN_BASE] = hw.vs.vstval;
	}
	if (!native_store(vcpu->guest, at, record, sizeof(record))) {
		CHECK(hw.fault != at.addr);
		hw.fault = at.addr;
		hw.trap = (struct hatch_trap){ CAUSE_STORE_GUEST_PAGE_FAULT, at.addr, at.addr >> 2,
					       0x103023 };
		vcpu->frame.sstatus = SSTATUS_SPP;
		return false;
	}
	hw.fault = 0;
	next = (uint64_t)(event < PLAN_EVENTS - 1 ? plan_next(hw.plan, index, event + 1) : event);
	*pc = native_base(index) + next * STRIDE;
	return true;
}

/* What comes from outside, or is no instruction: pc leads behind it. */
static bool pass_time(const struct plan_event *ev, int index, uint64_t *pc)
{
	int next = plan_next(hw.plan, index, (int)(ev - hw.plan->event[index]) + 1);

	*pc = native_base(index) + (uint64_t)next * STRIDE;
	if (ev->kind == HATCH_DEADLINE) {
		hw.time += ev->value;
		return false;
	}
	seen_before(ev, hw.x);
	set_trap(ev, *pc);
	return true;
}

static bool is_late(void)
{
	if (hw.deadline > hw.time) {
		hw.spurious = 0;
		return false;
	}
	CHECK(hw.spurious < 10); /* nobody sets it anew */
	if (hw.spurious++ >= 10)
		hw.deadline = HATCH_NEVER;
	hw.trap = (struct hatch_trap){ CAUSE_INTERRUPT | IRQ_S_TIMER, 0, 0, 0 };
	return true;
}

/* One step of the guest; true: it has trapped to the host. */
static bool step(struct hatch_vcpu *vcpu, uint64_t *pc)
{
	int index;
	const struct plan_event *ev = event_at(*pc, &index);
	uint64_t part = *pc % STRIDE;

	if (is_late())
		return true;
	if (ev && part == 0 && (ev->kind == HATCH_INTERRUPT || ev->kind == HATCH_DEADLINE))
		return pass_time(ev, index, pc);
	if (ev && part == 0) {
		seen_before(ev, hw.x);
		hw.vs.vstvec = *pc + AT_VECTOR;
		*pc += AT_INSTRUCTION;
		return false;
	}
	if (ev && part == AT_INSTRUCTION)
		return run_instruction(vcpu, ev, pc);
	if (ev &&
	    (part == AT_VECTOR || (ev->length && part == AT_INSTRUCTION + (uint64_t)ev->length)))
		return !note(vcpu, index, ev, pc, part == AT_VECTOR);
	CHECK(!"the guest's pc is where no code is");
	*pc = native_base(0) + (PLAN_EVENTS - 1) * STRIDE;
	return false;
}

/* ---- The door, as in enter.S ---- */

static bool is_caller_saved(unsigned int i)
{
	const uint32_t callee_saved = 1U << 3 | 3U << 8 | 0x3ffU << 18;

	return !(callee_saved >> i & 1);
}

static void save(struct hatch_frame *frame, bool caller_saved)
{
	for (unsigned int i = 0; i < 32; i++)
		if (is_caller_saved(i) == caller_saved)
			frame->x[i] = hw.x[i];
		else if (caller_saved)
			frame->x[i] = POISON;
}

static void load(const struct hatch_frame *frame, bool all)
{
	for (unsigned int i = 0; i < 32; i++)
		if (all || is_caller_saved(i))
			hw.x[i] = frame->x[i];
}

/* 0: back to the guest; else what hatch_enter returns with. */
static int vector(struct hatch_vcpu *vcpu)
{
	const uint64_t *a = &vcpu->frame.x[10];
	int code = HATCH_TRAPPED;

	save(&vcpu->frame, true);
	if (hw.trap.scause == CAUSE_VIRTUAL_ECALL)
		code = hatch_fast_hypercall(vcpu, a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
	else if (hw.trap.scause == CAUSE_LOAD_GUEST_PAGE_FAULT ||
		 hw.trap.scause == CAUSE_STORE_GUEST_PAGE_FAULT)
		code = hatch_fast_mmio(vcpu);
	if (code == HATCH_WENT_ON) {
		load(&vcpu->frame, false);
		return code;
	}
	save(&vcpu->frame, false);
	if (code != HATCH_NEED_ALL)
		return code;
	code = hatch_fast_mmio_all(vcpu);
	if (code == HATCH_WENT_ON)
		load(&vcpu->frame, true);
	return code;
}

int hatch_vcpu_run(struct hatch_vcpu *vcpu)
{
	int code = HATCH_WENT_ON;
	uint64_t host[32];

	vcpu->frame.leave = 0;
	vcpu->full = false;
	hw.door = vcpu;
	memcpy(host, hw.x, sizeof(host)); /* of which only the callee-saved ones matter */
	load(&vcpu->frame, true);
	while (code == HATCH_WENT_ON) {
		uint64_t pc = vcpu->frame.pc;

		CHECK(hw.door == vcpu && hw.hart.current == vcpu);
		while (!step(vcpu, &pc))
			;
		vcpu->frame.pc = pc;
		code = vector(vcpu);
	}
	memcpy(hw.x, host, sizeof(host));
	vcpu->full = true;
	return code;
}
