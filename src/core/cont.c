/* SPDX-License-Identifier: MIT */
#include <hatch/try.h>

enum hatch_verdict hatch_cont_refuse(struct hatch_cont *k, int error)
{
	k->error = error;
	return HATCH_REFUSED;
}

static enum hatch_verdict settle(struct hatch_cont *k, enum hatch_verdict verdict)
{
	if (k->verdict)
		return hatch_cont_refuse(k, HATCH_ESTALE);
	return k->verdict = verdict;
}

enum hatch_verdict hatch_skip(struct hatch_cont *k)
{
	return settle(k, HATCH_SKIP);
}

enum hatch_verdict hatch_retry(struct hatch_cont *k)
{
	return settle(k, HATCH_RETRY);
}

enum hatch_verdict hatch_inject(struct hatch_cont *k, uint64_t cause, uint64_t tval)
{
	enum hatch_verdict verdict = settle(k, HATCH_INJECT);

	if (verdict == HATCH_INJECT) {
		k->value = cause;
		k->second = tval;
	}
	return verdict;
}

static bool is_data_fault(uint64_t cause)
{
	switch (cause) {
	case CAUSE_LOAD_ACCESS:
	case CAUSE_STORE_ACCESS:
	case CAUSE_LOAD_PAGE_FAULT:
	case CAUSE_STORE_PAGE_FAULT:
	case CAUSE_LOAD_GUEST_PAGE_FAULT:
	case CAUSE_STORE_GUEST_PAGE_FAULT:
		return true;
	default:
		return false;
	}
}

enum hatch_verdict hatch_throw(struct hatch_cont *k, const struct hatch_trap *trap)
{
	enum hatch_verdict verdict;

	if (!is_data_fault(trap->scause))
		return hatch_cont_refuse(k, HATCH_EINVAL);
	verdict = settle(k, HATCH_THROW);
	if (verdict == HATCH_THROW)
		k->thrown = *trap;
	return verdict;
}

enum hatch_verdict hatch_unwind(struct hatch_cont *k, long status)
{
	enum hatch_verdict verdict = settle(k, HATCH_UNWIND);

	if (verdict == HATCH_UNWIND)
		k->status = status;
	return verdict;
}

enum hatch_verdict hatch_finish(struct hatch_cont *k, long status)
{
	enum hatch_verdict verdict = hatch_unwind(k, status);

	if (verdict == HATCH_UNWIND)
		k->finished = true;
	return verdict;
}

enum hatch_verdict hatch_cont_capture(struct hatch_cont *k, struct hatch_captured *captured)
{
	struct hatch_try *t = k->vcpu->running;
	enum hatch_verdict verdict;

	if (!t || &t->cont != k || !captured)
		return hatch_cont_refuse(k, HATCH_EINVAL);
	verdict = settle(k, HATCH_CAPTURE);
	if (verdict == HATCH_CAPTURE)
		*captured = (struct hatch_captured){ t, t->serial };
	return verdict;
}

/* s0, s1, s2 to s11 and gp stay in the hardware while the fast path runs. */
static bool is_saved(const struct hatch_cont *k, unsigned int n)
{
	const uint32_t callee_saved = 1U << 3 | 3U << 8 | 0x3ffU << 18;

	return n < 32 && (k->vcpu->full || !(callee_saved >> n & 1));
}

int hatch_cont_get(const struct hatch_cont *k, unsigned int n, uint64_t *value)
{
	if (!is_saved(k, n))
		return HATCH_EINVAL;
	*value = k->vcpu->frame.x[n];
	return 0;
}

int hatch_cont_set(struct hatch_cont *k, unsigned int n, uint64_t value)
{
	if (!is_saved(k, n))
		return HATCH_EINVAL;
	if (n)
		k->vcpu->frame.x[n] = value;
	return 0;
}

hatch_gva hatch_cont_pc(const struct hatch_cont *k)
{
	return hatch_gva_of(k->vcpu->frame.pc);
}

uint64_t hatch_cont_tval(const struct hatch_cont *k)
{
	return k->tval;
}

bool hatch_cont_is_user(const struct hatch_cont *k)
{
	return !(k->vcpu->frame.sstatus & SSTATUS_SPP);
}
