/* SPDX-License-Identifier: MIT */
/*
 * SBI: the clauses, and what several extensions need.
 */
#include "sbi_hart.h"
#include "sbi_internal.h"

/* Answers of a clause that does not end or restart the guest. */
#define MAY_ANSWER HATCH_MAY(HATCH_RESUME)

static struct hatch_catch extension(uint64_t id, hatch_handler *handler, const char *name,
				    unsigned int may, struct hatch_sbi *sbi)
{
	struct hatch_catch clause = HATCH_ON_HYPERCALL(id, handler, sbi);

	clause.name = name;
	clause.may = may;
	/* A clause that restarts the hart replaces all registers. */
	clause.registers = may & HATCH_MAY(HATCH_RETRY);
	return clause;
}

static void init_clauses(struct hatch_sbi *sbi)
{
	const unsigned int may_end = MAY_ANSWER | HATCH_MAY(HATCH_UNWIND);
	const unsigned int may_restart = may_end | HATCH_MAY(HATCH_RETRY);
	const unsigned int may_inject = may_end | HATCH_MAY(HATCH_INJECT);

	sbi->base = extension(SBI_EXT_BASE, hatch_sbi_on_base, "sbi base", MAY_ANSWER, sbi);
	sbi->time = extension(SBI_EXT_TIME, hatch_sbi_on_time, "sbi time", MAY_ANSWER, sbi);
	sbi->ipi = extension(SBI_EXT_IPI, hatch_sbi_on_ipi, "sbi ipi", MAY_ANSWER, sbi);
	sbi->rfence = extension(SBI_EXT_RFENCE, hatch_sbi_on_rfence, "sbi rfence", MAY_ANSWER, sbi);
	sbi->hsm = extension(SBI_EXT_HSM, hatch_sbi_on_hsm, "sbi hsm", may_restart, sbi);
	sbi->srst = extension(SBI_EXT_SRST, hatch_sbi_on_srst, "sbi srst", may_end, sbi);
	sbi->dbcn = extension(SBI_EXT_DBCN, hatch_sbi_on_dbcn, "sbi dbcn", MAY_ANSWER, sbi);
	sbi->susp = extension(SBI_EXT_SUSP, hatch_sbi_on_susp, "sbi susp", may_restart, sbi);
	sbi->legacy = extension(0, hatch_sbi_on_legacy, "sbi legacy", may_inject, sbi);
	sbi->legacy.last = SBI_EXT_LEGACY_LAST;
	sbi->rest = extension(0, hatch_sbi_on_rest, "sbi rest", MAY_ANSWER, sbi);
	sbi->rest.last = UINT64_MAX;
}

void hatch_sbi_init(struct hatch_sbi *sbi, struct hatch_sbi_hart *hart, unsigned int harts,
		    struct hatch_timer *timer)
{
	*sbi = (struct hatch_sbi){ .hart = hart, .harts = harts, .timer = timer, .ordered = true };
	for (unsigned int i = 0; i < harts; i++) {
		hart[i].id = hart[i].vcpu->hart_id;
		sbi->ordered &= hart[i].id == i;
		hart[i].state = i ? SBI_HART_STOPPED : SBI_HART_STARTED;
	}
	init_clauses(sbi);
	hatch_sbi_state_init(sbi);
}

int hatch_sbi_add(struct hatch_sbi *sbi, struct hatch_scope *scope)
{
	struct hatch_catch *const clause[] = { &sbi->base,	   &sbi->time, &sbi->ipi,
					       &sbi->rfence,	   &sbi->hsm,  &sbi->srst,
					       &sbi->dbcn,	   &sbi->susp, &sbi->legacy,
					       &sbi->timer->expiry };
	const size_t count = sizeof(clause) / sizeof(clause[0]);

	for (size_t i = 0; i < count; i++) {
		int error = hatch_catch_add(scope, clause[i]);

		if (!error)
			continue;
		while (i--)
			hatch_catch_remove(scope, clause[i]);
		return error;
	}
	return HATCH_OK;
}

int hatch_sbi_add_rest(struct hatch_sbi *sbi, struct hatch_scope *outer)
{
	return hatch_catch_add(outer, &sbi->rest);
}

enum hatch_verdict hatch_sbi_on_rest(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	(void)ev;
	return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
}

bool hatch_sbi_is_start(struct hatch_guest *guest, uint64_t addr)
{
	const struct hatch_region *region = hatch_guest_region(guest, hatch_gpa_of(addr));
	size_t size = 2; /* the shortest instruction */

	if (!region || addr % size)
		return false;
	/* A page that comes on demand comes with all rights; one that is there may lack some. */
	return !region->host ||
	       hatch_guest_pointer(guest, hatch_gpa_of(addr), &size, HATCH_PROT_EXEC);
}

enum hatch_verdict hatch_sbi_restart(struct hatch_cont *k, uint64_t addr, uint64_t opaque)
{
	uint64_t alarm = hatch_sbi_hart_vstimecmp(k->vcpu);

	/* Sleep loses the registers, not the interrupts that end it, and not the timer. */
	hatch_vcpu_reset(k->vcpu, hatch_gpa_of(addr), k->vcpu->hart_id, opaque);
	hatch_sbi_hart_set_vstimecmp(k->vcpu, alarm);
	return hatch_retry(k);
}

enum hatch_verdict hatch_sbi_reset(struct hatch_sbi *sbi, struct hatch_cont *k,
				   enum hatch_reset_kind kind, uint32_t reason)
{
	enum hatch_reset_kind none = HATCH_RESET_NONE;

	if (__atomic_compare_exchange_n(&sbi->reset, &none, kind, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		sbi->reason = reason;
	return hatch_finish(k, reason);
}
