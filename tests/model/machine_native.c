/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "../unit/fake_csr.h"
#include "machine_native.h"

struct native_hart hw = { .deadline = HATCH_NEVER };

/* ---- Memory ---- */

static void *memory_alloc(void *arg, size_t size, size_t align)
{
	void *p = aligned_alloc(align, (size + align - 1) / align * align);

	(void)arg;
	if (!p)
		return NULL;
	hw.bytes += size;
	return memset(p, 0, size);
}

static void memory_free(void *arg, void *p, size_t size)
{
	(void)arg;
	hw.bytes -= size;
	free(p);
}

static hatch_hpa memory_physical(void *arg, const void *p)
{
	(void)arg;
	return hatch_hpa_of((uint64_t)(uintptr_t)p);
}

static void *memory_pointer(void *arg, hatch_hpa hpa)
{
	(void)arg;
	return (void *)(uintptr_t)hpa.addr;
}

static const struct hatch_memory memory = { memory_alloc, memory_free, memory_physical,
					    memory_pointer, NULL };

const struct hatch_memory *machine_memory(void)
{
	return &memory;
}

int hatch_guest_init(struct hatch_guest *guest, const struct hatch_memory *from)
{
	*guest = (struct hatch_guest){ .regions = 0 };
	return hatch_gstage_init(&guest->stage, from, HATCH_SV39X4, 0);
}

bool native_store(struct hatch_guest *guest, hatch_gpa at, const void *from, size_t size)
{
	struct hatch_mapping to;

	if (hatch_gstage_lookup(&guest->stage, at, &to) || to.cow || !(to.prot & HATCH_PROT_WRITE))
		return false;
	memcpy((uint8_t *)memory_pointer(NULL, to.hpa) + (at.addr - to.gpa.addr), from, size);
	return true;
}

/* ---- Guests ---- */

uint64_t native_base(int index)
{
	return PLAN_RAM + (uint64_t)index * GUEST_STRIDE;
}

void machine_prepare(const struct plan *plan, int index, struct hatch_guest *guest,
		     struct hatch_vcpu *vcpu)
{
	hw.plan = plan;
	CHECK(!hatch_guest_init(guest, &memory));
	CHECK(!hatch_guest_add_ram(guest, hatch_gpa_of(PLAN_RAM), PLAN_RAM_SIZE));
	CHECK(!hatch_guest_add_lazy(guest, hatch_gpa_of(PLAN_LAZY), PLAN_LAZY_SIZE));
	*vcpu = (struct hatch_vcpu){ .guest = guest, .full = true };
	hatch_vcpu_clear(
		vcpu,
		hatch_gpa_of(native_base(index) + (uint64_t)plan_next(plan, index, 0) * STRIDE), 0,
		0);
	vcpu->confine.hcounteren = 7;
	seen_before(&plan->event[index][PLAN_EVENTS - 1], vcpu->frame.x);
}

int machine_event_at(const struct plan *plan, int index, uint64_t pc)
{
	uint64_t at = pc - native_base(index);

	(void)plan;
	if (at >= PLAN_EVENTS * STRIDE || (at % STRIDE && at % STRIDE != AT_INSTRUCTION))
		return -1;
	return (int)(at / STRIDE);
}

void machine_end(struct trace *trace)
{
	CHECK(hw.bytes == 0);
	CHECK(!hw.hart.current);
	hw.time = 0;
	hw.deadline = HATCH_NEVER;
	if (hw.wrong)
		trace_add(trace, TRACE_WRONG, 0, 0, hw.wrong, 0, 0);
	hw.wrong = 0;
	hw.bytes = 0;
	hw.hart.current = NULL;
}

/* ---- The hart ---- */

uint64_t fake_csr(const char *name)
{
	if (!strcmp(name, "scause"))
		return hw.trap.scause;
	if (!strcmp(name, "stval"))
		return hw.trap.stval;
	if (!strcmp(name, "htval"))
		return hw.trap.htval;
	if (!strcmp(name, "htinst"))
		return hw.trap.htinst;
	if (!strcmp(name, "hstatus"))
		return HSTATUS_SPV; /* the trap came from the guest */
	CHECK(!"a CSR that is not here");
	return 0;
}

struct hatch_hart *hatch_hart_this(void)
{
	return &hw.hart;
}

const struct hatch_hart_facts *hatch_hart_facts(void)
{
	return &hw.hart.facts;
}

void hatch_vcpu_load(struct hatch_vcpu *vcpu)
{
	CHECK(!hw.hart.current && !vcpu->live);
	hw.hart.current = vcpu;
	hw.vs = vcpu->vs;
	memset(&vcpu->vs, 0xdb, sizeof(vcpu->vs));
	vcpu->live = true;
}

void hatch_vcpu_put(struct hatch_vcpu *vcpu)
{
	CHECK(hw.hart.current == vcpu);
	hw.hart.current = NULL;
	vcpu->vs = hw.vs;
	vcpu->live = false;
}

void hatch_hart_kick(const struct hatch_hart *hart)
{
	CHECK(!hart);
}

void hatch_hart_kick_end(void)
{
}

void hatch_hart_hvip(uint64_t set, uint64_t clear)
{
	hw.hart.current->hvip = (hw.hart.current->hvip | set) & ~clear;
}

void hatch_hart_fence(const struct hatch_fence *fence)
{
	CHECK(fence);
}

uint64_t hatch_vcpu_time(const struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	return hw.time;
}

void hatch_hart_deadline(const struct hatch_vcpu *vcpu, uint64_t deadline)
{
	(void)vcpu;
	hw.deadline = deadline;
}

bool hatch_hart_alarm_is_due(void)
{
	return false;
}

void hatch_vcpu_fp_save(struct hatch_vcpu *vcpu)
{
	vcpu->fp_live = false;
}

void hatch_vcpu_fp_dirty(void)
{
}

void hatch_vcpu_host_fp_save(struct hatch_host_fp *host)
{
	host->used = false;
}

void hatch_vcpu_host_fp_restore(struct hatch_vcpu *vcpu, const struct hatch_host_fp *host)
{
	(void)vcpu;
	(void)host;
}

void hatch_vcpu_inject(struct hatch_vcpu *vcpu, uint64_t cause, uint64_t tval)
{
	CHECK(hw.hart.current == vcpu);
	hatch_apply_exception(&vcpu->frame, &hw.vs, cause, tval);
}

void hatch_vcpu_trap(struct hatch_trap *trap)
{
	*trap = hw.trap;
}

void hatch_vcpu_set_trap(const struct hatch_trap *trap)
{
	hw.trap = *trap;
}

bool hatch_vcpu_is_lost(const struct hatch_vcpu *vcpu)
{
	(void)vcpu;
	return false;
}
