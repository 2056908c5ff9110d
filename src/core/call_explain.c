/* SPDX-License-Identifier: MIT */
/* What stopped a call, in the caller's terms: from the trap and the box's layout. Pure. */
#include <inttypes.h>
#include <stdio.h>

#include <hatch/csr.h>
#include "call.h"

const char *hatch_stop_name(enum hatch_stop stop)
{
	static const char *const names[] = {
		[HATCH_STOP_NONE] = "returned",
		[HATCH_STOP_REFUSED] = "not called",
		[HATCH_STOP_READ] = "forbidden read",
		[HATCH_STOP_WRITE] = "forbidden write",
		[HATCH_STOP_JUMP] = "jump to what is no code",
		[HATCH_STOP_STACK] = "stack overflow",
		[HATCH_STOP_MISALIGNED] = "misaligned access",
		[HATCH_STOP_ILLEGAL] = "illegal instruction",
		[HATCH_STOP_PRIVILEGED] = "privileged instruction",
		[HATCH_STOP_BREAKPOINT] = "breakpoint",
		[HATCH_STOP_LATE] = "time is up",
		[HATCH_STOP_DENIED] = "asked for what is not offered",
		[HATCH_STOP_OFFER] = "an offered function failed",
		[HATCH_STOP_OTHER] = "stopped",
	};

	return stop <= HATCH_STOP_OTHER ? names[stop] : "?";
}

static bool in_stack_guard(const struct hatch_box *box, uint64_t address)
{
	return address - (uintptr_t)box->block < BOX_STACK_GUARD;
}

static enum hatch_stop stop_of_data(const struct hatch_box *box, const struct hatch_trap *trap,
				    enum hatch_stop otherwise)
{
	return in_stack_guard(box, trap->stval) ? HATCH_STOP_STACK : otherwise;
}

/*
 * An instruction of the SYSTEM opcode is no nonsense but too much to ask. CPUs disagree on which
 * of them are illegal for a user and which ask the hypervisor (18.6.1): the caller need not care.
 */
static enum hatch_stop stop_of_illegal(const struct hatch_event *ev)
{
	const uint32_t opcode_mask = 0x7f, opcode_system = 0x73;

	return (ev->illegal.encoding & opcode_mask) == opcode_system ? HATCH_STOP_PRIVILEGED
								     : HATCH_STOP_ILLEGAL;
}

static enum hatch_stop stop_of(const struct hatch_box *box, const struct hatch_trap *trap)
{
	if (box->t.event.kind == HATCH_DEADLINE)
		return HATCH_STOP_LATE;
	switch (trap->scause) {
	case CAUSE_LOAD_ACCESS:
	case CAUSE_LOAD_PAGE_FAULT:
	case CAUSE_LOAD_GUEST_PAGE_FAULT:
		return stop_of_data(box, trap, HATCH_STOP_READ);
	case CAUSE_STORE_ACCESS:
	case CAUSE_STORE_PAGE_FAULT:
	case CAUSE_STORE_GUEST_PAGE_FAULT:
		return stop_of_data(box, trap, HATCH_STOP_WRITE);
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_FETCH_ACCESS:
	case CAUSE_FETCH_PAGE_FAULT:
	case CAUSE_FETCH_GUEST_PAGE_FAULT:
		return HATCH_STOP_JUMP;
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		return HATCH_STOP_MISALIGNED;
	case CAUSE_ILLEGAL_INSTRUCTION:
		return stop_of_illegal(&box->t.event);
	case CAUSE_VIRTUAL_INSTRUCTION:
		return HATCH_STOP_PRIVILEGED;
	case CAUSE_BREAKPOINT:
		return HATCH_STOP_BREAKPOINT;
	case CAUSE_USER_ECALL:
		return HATCH_STOP_DENIED;
	default:
		return HATCH_STOP_OTHER;
	}
}

void hatch_box_explain(const struct hatch_box *box, const struct hatch_trap *trap,
		       struct hatch_call_result *result)
{
	*result = (struct hatch_call_result){
		.outcome = HATCH_UNCAUGHT,
		.stop = stop_of(box, trap),
		.pc = box->vcpu.frame.pc,
		.tval = trap->stval,
		.event = &box->t.event,
	};
}

char *hatch_call_format(const struct hatch_call_result *result, char *line, size_t size)
{
	const char *stop = hatch_stop_name(result->stop);
	char event[96];

	switch (result->outcome) {
	case HATCH_DONE:
		snprintf(line, size, "%s 0x%" PRIx64, stop, result->value);
		break;
	case HATCH_FAILED:
		snprintf(line, size, "%s: %s: %s", stop, hatch_error_name(result->error),
			 hatch_error_text(result->error));
		break;
	default:
		snprintf(line, size, "%s: %s, pc 0x%" PRIx64, stop,
			 hatch_event_format(result->event, event, sizeof(event)), result->pc);
	}
	return line;
}
