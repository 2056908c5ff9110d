/* SPDX-License-Identifier: MIT */
/*
 * SBI BASE (SBI 2.0, chapter 4): who we are and what we can do.
 */
#include "sbi_internal.h"

enum base_function {
	GET_SPEC_VERSION,
	GET_IMPL_ID,
	GET_IMPL_VERSION,
	PROBE_EXTENSION,
	GET_MVENDORID,
	GET_MARCHID,
	GET_MIMPID,
};

/* The clause that says "not supported" to everything is no support. */
static bool offers(const struct hatch_catch *clause, uint64_t id)
{
	return clause->kind == HATCH_HYPERCALL && clause->first <= id && id <= clause->last &&
	       clause->handler != hatch_sbi_on_rest;
}

static bool probe(const struct hatch_try *t, uint64_t id)
{
	for (const struct hatch_scope *scope = t->innermost; scope; scope = scope->outer)
		for (const struct hatch_catch *c = scope->clauses; c; c = c->next)
			if (offers(c, id))
				return true;
	return false;
}

enum hatch_verdict hatch_sbi_on_base(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	const struct hatch_sbi *sbi = arg;

	switch (ev->hypercall.function) {
	case GET_SPEC_VERSION:
		return hatch_sbi_value(k, SBI_SPEC_VERSION);
	case GET_IMPL_ID:
		return hatch_sbi_value(k, HATCH_SBI_IMPL_ID);
	case GET_IMPL_VERSION:
		return hatch_sbi_value(k, HATCH_VERSION_NUMBER);
	case PROBE_EXTENSION:
		return hatch_sbi_value(k, probe(k->vcpu->running, ev->hypercall.arg[0]));
	case GET_MVENDORID:
		return hatch_sbi_value(k, sbi->mvendorid);
	case GET_MARCHID:
		return hatch_sbi_value(k, sbi->marchid);
	case GET_MIMPID:
		return hatch_sbi_value(k, sbi->mimpid);
	default:
		return hatch_sbi_error(k, SBI_ERR_NOT_SUPPORTED);
	}
}
