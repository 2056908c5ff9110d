/* SPDX-License-Identifier: MIT */
/*
 * The short road of an exit: a hypercall or a plain load or store whose clause is known from
 * the last time, and which that clause resumes. Called from the trap vector on the host's stack;
 * s0 to s11 are still the guest's. Everything unusual is left to try.c, the long road, which
 * gives the same answers.
 *
 * Every instruction here is paid at every exit (`hatch bench` counts them). Hence: nothing is
 * kept over the handler's call that can be found again; what only the long road needs is
 * worked out when it is taken, in hatch_fast_recall.
 */
#include <hatch/csr.h>
#include "apply.h"
#include "fast.h"
#include "hart.h"
#include "offsets.h"
#include "post.h"

#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

static int leave_to_try(struct hatch_try *t, enum hatch_verdict verdict)
{
	t->fast_verdict = verdict;
	return HATCH_ASKED;
}

int hatch_fast_hypercall(struct hatch_vcpu *vcpu, uint64_t a1, uint64_t a2, uint64_t a3,
			 uint64_t a4, uint64_t a5, uint64_t function, uint64_t extension)
{
	struct hatch_try *t = vcpu->running;
	const struct hatch_call_hit *hit = &t->call_hit[extension % HATCH_HITS];
	enum hatch_verdict verdict;

	if (unlikely(hit->extension != extension))
		return HATCH_TRAPPED;
	t->fast_call.hypercall.extension = extension;
	t->fast_call.hypercall.function = function;
	t->cont.verdict = HATCH_PASS;
	verdict = hit->clause->handler(hit->clause->arg, &t->fast_call, &t->cont);
	if (unlikely(verdict != HATCH_RESUME || t->cont.verdict != HATCH_RESUME)) {
		t->fast_htinst = 0;
		return leave_to_try(t, verdict);
	}
	hatch_apply_call(&t->vcpu->frame, &t->cont);
	return (int)t->vcpu->frame.leave;
}

/*
 * What funct3 says of a load or store, laid out like the event's own shape. `shift` moves the
 * value's sign bit to bit 63, and so cuts it.
 */
struct shape {
	union {
		struct {
			uint8_t width;
			bool write, sign, fp;
		};
		uint32_t word;
	};
	uint8_t shift;
};

static const struct shape load_shape[8] = {
	{ { { 1, false, true, false } }, 56 },
	{ { { 2, false, true, false } }, 48 },
	{ { { 4, false, true, false } }, 32 },
	{ { { 8, false, true, false } }, 0 },
	{ { { 1, false, false, false } }, 56 },
	{ { { 2, false, false, false } }, 48 },
	{ { { 4, false, false, false } }, 32 },
	{ { { 8, false, false, false } }, 0 }, /* RV128's ldu */
};

static const struct shape store_shape[4] = {
	{ { { 1, true, false, false } }, 56 },
	{ { { 2, true, false, false } }, 48 },
	{ { { 4, true, false, false } }, 32 },
	{ { { 8, true, false, false } }, 0 },
};

/* gp, s0, s1, s2 to s11 */
#define CALLEE_SAVED (1U << 3 | 3U << 8 | 0x3ffU << 18)

static inline struct hatch_mmio_hit *hit_of(struct hatch_try *t, uint64_t gpa)
{
	return &t->mmio_hit[(gpa >> HATCH_PAGE_SHIFT) % HATCH_HITS];
}

/* Asks the clause. Zero: resumed, t->cont.value is the answer. */
static inline int ask(struct hatch_try *t, const struct hatch_catch *clause, uint64_t htinst)
{
	struct hatch_event *ev = &t->fast_mmio;
	enum hatch_verdict verdict;

	t->fast_htinst = htinst;
	ev->length = (uint8_t)hatch_htinst_length(htinst);
	t->cont.verdict = HATCH_PASS;
	verdict = clause->handler(clause->arg, ev, &t->cont);
	if (unlikely(verdict != HATCH_RESUME || t->cont.verdict != HATCH_RESUME))
		return leave_to_try(t, verdict);
	return 0;
}

static inline int finish(struct hatch_try *t)
{
	t->cont.pair = false;
	t->vcpu->frame.pc += t->fast_mmio.length;
	return (int)t->vcpu->frame.leave;
}

static inline __attribute__((always_inline)) int load(struct hatch_try *t,
						      const struct hatch_catch *clause,
						      uint64_t room, uint64_t htinst, bool all)
{
	const struct shape *shape = &load_shape[htinst >> 12 & 7];
	unsigned int rd = hatch_htinst_rd(htinst);
	uint64_t value;
	int code;

	if (unlikely(shape->width > room))
		return HATCH_TRAPPED;
	if (!all && unlikely(CALLEE_SAVED >> rd & 1))
		return HATCH_NEED_ALL;
	t->fast_mmio.mmio.shape = shape->word;
	code = ask(t, clause, htinst);
	if (unlikely(code))
		return code;
	value = t->cont.value << shape->shift;
	value = likely(shape->sign) ? (uint64_t)((int64_t)value >> shape->shift)
				    : value >> shape->shift;
	hatch_apply_load(&t->vcpu->frame, hatch_htinst_rd(t->fast_htinst), value);
	return finish(t);
}

static inline __attribute__((always_inline)) int store(struct hatch_try *t,
						       const struct hatch_catch *clause,
						       uint64_t room, uint64_t htinst, bool all)
{
	const struct shape *shape = &store_shape[htinst >> 12 & 3];
	unsigned int rs2 = hatch_htinst_rs2(htinst);
	int code;

	if (unlikely(shape->width > room))
		return HATCH_TRAPPED;
	if (!all && unlikely(CALLEE_SAVED >> rs2 & 1))
		return HATCH_NEED_ALL;
	t->fast_mmio.mmio.shape = shape->word;
	t->fast_mmio.mmio.value = t->vcpu->frame.x[rs2] << shape->shift >> shape->shift;
	code = ask(t, clause, htinst);
	return code ? code : finish(t);
}

/*
 * A transformed plain load or store at the very address (the offset in the place of rs1 is 0):
 * only the register, funct3 and bit 1 differ from the bare opcode.
 */
#define IS_LOAD(htinst)	 ((((htinst) ^ 0x01) & ~0x7f82UL) == 0)
#define IS_STORE(htinst) ((((htinst) ^ 0x21) & ~0x1f03002UL) == 0)

/*
 * Hardware may leave htinst 0 (QEMU 7 and real chips do): the transformed form is then made
 * here, from the instruction itself. Needs all registers. 0: this is for the long road, which
 * finds the trap's CSRs as they were.
 */
static __attribute__((noinline)) uint64_t make_htinst(const struct hatch_vcpu *vcpu, uint64_t gpa)
{
	struct hatch_trap trap;
	struct hatch_insn insn;

	hatch_vcpu_trap(&trap);
	if ((gpa ^ trap.stval) % HATCH_PAGE_SIZE) /* met by a page-table walk */
		return 0;
	if (!hatch_insn_decode(hatch_vcpu_fetch(vcpu), &insn)) {
		hatch_vcpu_set_trap(&trap);
		return 0;
	}
	if (vcpu->frame.x[insn.rs1] + (uint64_t)(int64_t)insn.imm != trap.stval)
		return 0;
	return hatch_insn_transform(&insn);
}

/*
 * No device that we know: perhaps a store that only the sharing of its page stops. The guest gets
 * a page of its own; whatever else it is, the long road finds out.
 */
static __attribute__((noinline)) int unshare(struct hatch_vcpu *vcpu, uint64_t gpa)
{
	struct hatch_guest *guest = vcpu->guest;

	if (!guest->family || csr_read(scause) != CAUSE_STORE_GUEST_PAGE_FAULT ||
	    hatch_guest_unshare(guest, hatch_gpa_of(gpa)))
		return HATCH_TRAPPED;
	return (int)vcpu->frame.leave;
}

static inline __attribute__((always_inline)) int mmio(struct hatch_vcpu *vcpu, bool all)
{
	struct hatch_try *t = vcpu->running;
	uint64_t htinst = csr_read(htinst), stval = csr_read(stval);
	uint64_t gpa = csr_read(htval) << 2 | (stval & 3);
	const struct hatch_mmio_hit *hit = hit_of(t, gpa);
	const struct hatch_catch *clause;
	uint64_t offset, size;

	__asm__("" : "+r"(hit)); /* one address for all its fields, not one each */
	clause = hit->clause;
	size = hit->size;
	offset = gpa - hit->base;
	if (unlikely(offset >= size))
		return unshare(vcpu, gpa);
	if (all && unlikely(!htinst))
		htinst = make_htinst(vcpu, gpa);
	t->cont.tval = stval;
	t->fast_mmio.mmio.gpa.addr = gpa;
	t->fast_mmio.mmio.offset = offset;
	if (likely(IS_LOAD(htinst)))
		return load(t, clause, size - offset, htinst, all);
	if (IS_STORE(htinst))
		return store(t, clause, size - offset, htinst, all);
	return htinst || all ? HATCH_TRAPPED : HATCH_NEED_ALL;
}

int hatch_fast_mmio(struct hatch_vcpu *vcpu)
{
	return mmio(vcpu, false);
}

int hatch_fast_mmio_all(struct hatch_vcpu *vcpu)
{
	return mmio(vcpu, true);
}

int hatch_fast_soft(struct hatch_vcpu *vcpu)
{
	hatch_hart_kick_end();
	hatch_post_take(vcpu);
	if (__atomic_load_n(&vcpu->post.kicked, __ATOMIC_ACQUIRE) || vcpu->frame.leave)
		return HATCH_TRAPPED;
	return HATCH_WENT_ON;
}

void hatch_fast_forget(struct hatch_try *t)
{
	for (unsigned int i = 0; i < HATCH_HITS; i++) {
		t->call_hit[i] = (struct hatch_call_hit){ .extension = i ^ 1 };
		t->mmio_hit[i] = (struct hatch_mmio_hit){ .size = 0 };
		t->scope_hit[i].scope = NULL;
	}
	t->fast_call = (struct hatch_event){ .kind = HATCH_HYPERCALL, .length = 4 };
	t->fast_call.hypercall.arg = &t->vcpu->frame.x[10];
	t->fast_mmio = (struct hatch_event){ .kind = HATCH_MMIO };
}

/* Whether a scope inside the clause's own is asked before it for some of these keys. */
static bool is_shadowed(const struct hatch_try *t, const struct hatch_catch *clause, uint64_t first,
			uint64_t last)
{
	for (const struct hatch_scope *s = t->innermost; s != clause->scope; s = s->outer)
		if (hatch_scope_meets(s, clause->kind, first, last))
			return true;
	return false;
}

static bool serves_calls(const struct hatch_try *t, const struct hatch_catch *clause, uint64_t id)
{
	return clause->kind == HATCH_HYPERCALL && clause->function_first == 0 &&
	       clause->function_last == UINT64_MAX && !is_shadowed(t, clause, id, id);
}

/* Whether every access in the clause's range is an mmio event of its own. */
static bool serves_range(const struct hatch_try *t, const struct hatch_catch *clause)
{
	const struct hatch_guest *guest = t->vcpu->guest;

	if (clause->kind != HATCH_MMIO || clause->last - clause->first == UINT64_MAX)
		return false;
	for (unsigned int i = 0; i < guest->regions; i++) {
		const struct hatch_region *r = &guest->region[i];

		if (r->base.addr <= clause->last && clause->first <= r->base.addr + r->size - 1)
			return false;
	}
	return !is_shadowed(t, clause, clause->first, clause->last);
}

/* Beside kind and key: what else hatch_scope_find looks at. */
static uint64_t detail_of(const struct hatch_event *ev)
{
	if (ev->kind == HATCH_HYPERCALL)
		return ev->hypercall.function;
	return ev->kind == HATCH_MMIO ? ev->mmio.shape : 0;
}

static struct hatch_scope_hit *scope_hit_of(struct hatch_try *t, uint64_t key)
{
	return &t->scope_hit[(key ^ key >> HATCH_PAGE_SHIFT ^ t->event.kind) % HATCH_HITS];
}

/* Another event may have taken the slot since: what the long road meets has it again. */
static void note_short(struct hatch_try *t, uint64_t key, const struct hatch_catch *clause)
{
	if (!clause || t->observer)
		return;
	if (clause->kind == HATCH_HYPERCALL)
		t->call_hit[key % HATCH_HITS] = (struct hatch_call_hit){ key, clause };
	else
		*hit_of(t, key) = (struct hatch_mmio_hit){
			.base = clause->first,
			.size = clause->last - clause->first + 1,
			.clause = clause,
		};
}

struct hatch_scope *hatch_fast_scope(struct hatch_try *t)
{
	uint64_t key = hatch_event_key(&t->event);
	const struct hatch_scope_hit *hit = scope_hit_of(t, key);

	if (!hit->scope || hit->kind != t->event.kind || hit->key != key ||
	    hit->detail != detail_of(&t->event))
		return NULL;
	note_short(t, key, hit->quick);
	return hit->scope;
}

static bool is_quick(const struct hatch_try *t, const struct hatch_catch *clause, uint64_t key)
{
	if (clause->registers || !(clause->may & HATCH_MAY(HATCH_RESUME)))
		return false;
	return serves_calls(t, clause, key) || serves_range(t, clause);
}

void hatch_fast_note(struct hatch_try *t, struct hatch_scope *scope,
		     const struct hatch_catch *clause)
{
	uint64_t key = hatch_event_key(&t->event);
	const struct hatch_catch *quick = is_quick(t, clause, key) ? clause : NULL;

	*scope_hit_of(t, key) = (struct hatch_scope_hit){
		.kind = t->event.kind,
		.key = key,
		.detail = detail_of(&t->event),
		.scope = scope,
		.quick = quick,
	};
	note_short(t, key, quick);
}

const struct hatch_catch *hatch_fast_recall(struct hatch_try *t)
{
	if (!t->fast_htinst) {
		t->event = t->fast_call;
		return t->call_hit[t->event.hypercall.extension % HATCH_HITS].clause;
	}
	t->event = t->fast_mmio;
	t->event.mmio.rd = (uint8_t)hatch_htinst_rd(t->fast_htinst);
	return hit_of(t, t->event.mmio.gpa.addr)->clause;
}
