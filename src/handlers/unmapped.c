/* SPDX-License-Identifier: MIT */
/*
 * The guest's mistakes, sent back to the guest: never an error of the host.
 */
#include <hatch/handlers/unmapped.h>

#define INSN_WFI 0x10500073

static uint64_t cause_of_access(enum hatch_access access)
{
	switch (access) {
	case HATCH_FETCH:
		return CAUSE_FETCH_ACCESS;
	case HATCH_STORE:
		return CAUSE_STORE_ACCESS;
	default:
		return CAUSE_LOAD_ACCESS;
	}
}

enum hatch_verdict hatch_inject_access_fault(const struct hatch_event *ev, struct hatch_cont *k)
{
	enum hatch_access access = ev->mmio.write ? HATCH_STORE : HATCH_LOAD;

	return hatch_inject(k, cause_of_access(access), hatch_cont_tval(k));
}

/*
 * The guest knows of no G-stage and no hypervisor: a fault of theirs reaches it as what the same
 * access or instruction would raise on a machine without them.
 */
static uint64_t cause_for_guest(uint64_t cause)
{
	switch (cause) {
	case CAUSE_FETCH_GUEST_PAGE_FAULT:
		return CAUSE_FETCH_ACCESS;
	case CAUSE_LOAD_GUEST_PAGE_FAULT:
		return CAUSE_LOAD_ACCESS;
	case CAUSE_STORE_GUEST_PAGE_FAULT:
		return CAUSE_STORE_ACCESS;
	case CAUSE_VIRTUAL_INSTRUCTION:
		return CAUSE_ILLEGAL_INSTRUCTION;
	default:
		return cause;
	}
}

/* A WFI of VU-mode is illegal; any other wait came because another clause asked for it. */
static enum hatch_verdict reflect_wfi(const struct hatch_event *ev, struct hatch_cont *k)
{
	if (!hatch_cont_is_user(k) || ev->wfi.store)
		return HATCH_PASS;
	return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, INSN_WFI);
}

static enum hatch_verdict on_unmapped(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)arg;
	switch (ev->kind) {
	case HATCH_MMIO:
		return hatch_inject_access_fault(ev, k);
	case HATCH_PAGE:
		return hatch_inject(k, cause_of_access(ev->page.access), hatch_cont_tval(k));
	case HATCH_FAULT:
		return hatch_inject(k, cause_for_guest(ev->fault.cause), ev->fault.tval);
	case HATCH_ILLEGAL:
		return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, ev->illegal.encoding);
	case HATCH_CSR:
		return hatch_inject(k, CAUSE_ILLEGAL_INSTRUCTION, hatch_cont_tval(k));
	case HATCH_BREAKPOINT:
		return hatch_inject(k, CAUSE_BREAKPOINT, hatch_cont_tval(k));
	case HATCH_SYSCALL:
		return hatch_inject(k, CAUSE_USER_ECALL, 0);
	case HATCH_WFI:
		return reflect_wfi(ev, k);
	default:
		return HATCH_PASS;
	}
}

struct hatch_catch hatch_unmapped_clause(void)
{
	struct hatch_catch clause = HATCH_ON_ANY(on_unmapped, NULL);

	clause.name = "unmapped";
	clause.may = HATCH_MAY(HATCH_PASS) | HATCH_MAY(HATCH_INJECT);
	return clause;
}
