/* SPDX-License-Identifier: MIT */
/* Numbers in words: for messages and traces. */
#include <inttypes.h>
#include <stdio.h>

#include <hatch/try.h>

struct error_words {
	const char *name, *text;
};

static const struct error_words errors[] = {
	[-HATCH_OK] = { "HATCH_OK", "no error" },
	[-HATCH_EINVAL] = { "HATCH_EINVAL", "an argument makes no sense; mend the call" },
	[-HATCH_ENOMEM] = { "HATCH_ENOMEM", "out of memory; give the machine more" },
	[-HATCH_EOVERLAP] = { "HATCH_EOVERLAP", "that key or range is taken; move one of the two" },
	[-HATCH_ESTALE] = { "HATCH_ESTALE", "answered before, or nothing waits for an answer; "
					    "answer each event once" },
	[-HATCH_ESEALED] = { "HATCH_ESEALED", "the scope is in force; change it between runs" },
	[-HATCH_EVERDICT] = { "HATCH_EVERDICT",
			      "that verdict is not possible for this event, not "
			      "declared in `may`, or not the one that was answered" },
	[-HATCH_ENOTSUP] = { "HATCH_ENOTSUP", "this machine or build cannot do that" },
	[-HATCH_EFAULT] = { "HATCH_EFAULT", "not mapped, or not with these rights; map it first" },
	[-HATCH_EBUSY] = { "HATCH_EBUSY", "in use by a running try; stop it first" },
	[-HATCH_ENOENT] = { "HATCH_ENOENT", "nothing of that name or key; check the spelling" },
	[-HATCH_EFORMAT] = { "HATCH_EFORMAT", "damaged or of a foreign format; fetch it again" },
	[-HATCH_E2BIG] = { "HATCH_E2BIG", "larger than the room for it; give more room" },
	[-HATCH_EFIRMWARE] = { "HATCH_EFIRMWARE",
			       "this QEMU loses illegal instructions of a guest; use "
			       "another one, such as tools/fetch-qemu's" },
};

static const struct error_words *words_of(int error)
{
	static const struct error_words none = { "HATCH_E?", "not an error of Hatch" };
	size_t n = sizeof(errors) / sizeof(errors[0]);

	return error <= 0 && (size_t) - (long)error < n ? &errors[-error] : &none;
}

const char *hatch_error_name(int error)
{
	return words_of(error)->name;
}

const char *hatch_error_text(int error)
{
	return words_of(error)->text;
}

const char *hatch_kind_name(enum hatch_kind kind)
{
	static const char *const names[] = {
		"hypercall", "syscall",	   "mmio",  "page",	 "illegal",  "csr",
		"wfi",	     "breakpoint", "fault", "interrupt", "deadline", "any",
	};

	return kind <= HATCH_ANY ? names[kind] : "?";
}

const char *hatch_outcome_name(enum hatch_outcome outcome)
{
	static const char *const names[] = { "done", "unwound", "uncaught", "failed", "suspended" };

	return outcome <= HATCH_SUSPENDED ? names[outcome] : "?";
}

static const char *access_name(enum hatch_access access)
{
	static const char *const names[] = { "load", "store", "fetch" };

	return names[access];
}

static void format_mmio(const struct hatch_event *ev, char *line, size_t size)
{
	if (ev->mmio.write)
		snprintf(line, size, "mmio store %u bytes at 0x%" PRIx64 " value 0x%" PRIx64,
			 ev->mmio.width, ev->mmio.gpa.addr, ev->mmio.value);
	else
		snprintf(line, size, "mmio load %u bytes at 0x%" PRIx64, ev->mmio.width,
			 ev->mmio.gpa.addr);
}

char *hatch_event_format(const struct hatch_event *ev, char *line, size_t size)
{
	const char *kind = hatch_kind_name(ev->kind);

	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		snprintf(line, size,
			 "%s 0x%" PRIx64 " function 0x%" PRIx64 " a0=0x%" PRIx64 " a1=0x%" PRIx64,
			 kind, ev->hypercall.extension, ev->hypercall.function,
			 ev->hypercall.arg[0], ev->hypercall.arg[1]);
		break;
	case HATCH_MMIO:
		format_mmio(ev, line, size);
		break;
	case HATCH_PAGE:
		snprintf(line, size, "page %s at 0x%" PRIx64 "%s", access_name(ev->page.access),
			 ev->page.gpa.addr, ev->page.walk ? " (page-table walk)" : "");
		break;
	case HATCH_ILLEGAL:
		snprintf(line, size, "illegal instruction 0x%08" PRIx32, ev->illegal.encoding);
		break;
	case HATCH_CSR:
		snprintf(line, size, "csr 0x%03x %s%s", ev->csr.number, ev->csr.read ? "read" : "",
			 ev->csr.write ? " write" : "");
		break;
	case HATCH_FAULT:
		snprintf(line, size, "fault cause %" PRIu64 " tval 0x%" PRIx64 " gpa 0x%" PRIx64,
			 ev->fault.cause, ev->fault.tval, ev->fault.gpa.addr);
		break;
	case HATCH_INTERRUPT:
		snprintf(line, size, "interrupt %u", ev->interrupt.irq);
		break;
	case HATCH_DEADLINE:
		snprintf(line, size, "deadline %" PRIu64, ev->deadline.ticks);
		break;
	default:
		snprintf(line, size, "%s", kind);
	}
	return line;
}

char *hatch_try_format(const struct hatch_try *t, char *line, size_t size)
{
	char event[96];

	switch (t->outcome) {
	case HATCH_UNCAUGHT:
		snprintf(line, size, "uncaught: %s, pc 0x%" PRIx64,
			 hatch_event_format(&t->event, event, sizeof(event)), t->vcpu->frame.pc);
		break;
	case HATCH_FAILED:
		snprintf(line, size, "failed: %s in %s at %s: %s", hatch_error_name(t->error),
			 t->culprit ? t->culprit->name : "the caller",
			 hatch_event_format(&t->event, event, sizeof(event)),
			 hatch_error_text(t->error));
		break;
	default:
		snprintf(line, size, "%s with status %ld", hatch_outcome_name(t->outcome),
			 t->status);
	}
	return line;
}
