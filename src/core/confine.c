/* SPDX-License-Identifier: MIT */
#include <hatch/csr.h>
#include "confine.h"

#define BIT(n)	     (1UL << (n))
#define CSR_STIMECMP 0x14d

/* The exceptions that can be delegated at all (18.2.2). */
#define DELEGABLE                                                                                  \
	(BIT(CAUSE_FETCH_MISALIGNED) | BIT(CAUSE_FETCH_ACCESS) | BIT(CAUSE_ILLEGAL_INSTRUCTION) |  \
	 BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_LOAD_MISALIGNED) | BIT(CAUSE_LOAD_ACCESS) |             \
	 BIT(CAUSE_STORE_MISALIGNED) | BIT(CAUSE_STORE_ACCESS) | BIT(CAUSE_USER_ECALL) |           \
	 BIT(CAUSE_FETCH_PAGE_FAULT) | BIT(CAUSE_LOAD_PAGE_FAULT) | BIT(CAUSE_STORE_PAGE_FAULT))

/* Those that have a kind of their own, so that a clause for faults does not ask for them. */
#define OWN_KIND (BIT(CAUSE_ILLEGAL_INSTRUCTION) | BIT(CAUSE_BREAKPOINT) | BIT(CAUSE_USER_ECALL))

#define COUNTERS (BIT(CSR_CYCLE & 31) | BIT(CSR_TIME & 31) | BIT(CSR_INSTRET & 31))

static uint64_t bits_between(uint64_t first, uint64_t last)
{
	uint64_t below_first = first > 63 ? UINT64_MAX : BIT(first) - 1;
	uint64_t to_last = last >= 63 ? UINT64_MAX : BIT(last + 1) - 1;

	return to_last & ~below_first;
}

static void confine_csr(struct hatch_confinement *confine, const struct hatch_catch *clause)
{
	for (uint64_t csr = CSR_CYCLE; csr <= CSR_INSTRET; csr++)
		if (clause->first <= csr && csr <= clause->last)
			confine->hcounteren &= ~BIT(csr & 31);
	if (clause->first <= CSR_STIMECMP && CSR_STIMECMP <= clause->last)
		confine->henvcfg &= ~HENVCFG_STCE;
}

static void confine_clause(struct hatch_confinement *confine, const struct hatch_catch *clause)
{
	switch (clause->kind) {
	case HATCH_ILLEGAL:
		confine->hedeleg &= ~BIT(CAUSE_ILLEGAL_INSTRUCTION);
		break;
	case HATCH_BREAKPOINT:
		confine->hedeleg &= ~BIT(CAUSE_BREAKPOINT);
		break;
	case HATCH_SYSCALL:
		confine->hedeleg &= ~BIT(CAUSE_USER_ECALL);
		break;
	case HATCH_FAULT:
		confine->hedeleg &= ~(bits_between(clause->first, clause->last) & ~OWN_KIND);
		break;
	case HATCH_WFI:
		confine->hstatus |= HSTATUS_VTW;
		break;
	case HATCH_CSR:
		confine_csr(confine, clause);
		break;
	default: /* those that always come */
		break;
	}
}

void hatch_confine(struct hatch_try *t)
{
	struct hatch_confinement *confine = &t->vcpu->confine;

	confine->hedeleg = DELEGABLE;
	confine->hstatus &= ~HSTATUS_VTW;
	confine->hcounteren = COUNTERS;
	confine->henvcfg = t->vcpu->henvcfg;
	for (struct hatch_scope *s = t->innermost; s; s = s->outer)
		for (struct hatch_catch *c = s->clauses; c; c = c->next)
			confine_clause(confine, c);
}
