/* SPDX-License-Identifier: MIT */
/*
 * The try block: runs a vcpu, offers its events to clauses, obeys their verdicts.
 */
#ifndef HATCH_TRY_H
#define HATCH_TRY_H

#include <hatch/catch.h>

/* How hatch_try_run came back. */
enum hatch_outcome {
	HATCH_DONE,	 /* a clause finished the guest: hatch_try.status */
	HATCH_UNWOUND,	 /* a clause left the try: hatch_try.status; it can be run again */
	HATCH_UNCAUGHT,	 /* no clause took hatch_try.event */
	HATCH_FAILED,	 /* a clause broke a rule: hatch_try.error, hatch_try.culprit */
	HATCH_SUSPENDED, /* a clause captured the continuation: hatch_cont_resume goes on */
};

/* "done", "unwound", ...; never NULL. */
const char *hatch_outcome_name(enum hatch_outcome outcome);

/* Told of every event with the verdict that it got. The fast path rests while one is set. */
typedef void hatch_observer(void *arg, const struct hatch_event *ev, const struct hatch_cont *k,
			    const struct hatch_catch *clause);

/*
 * Direct-mapped memory of which clause took which event last: the fast path's first look.
 * Empty: a hypercall key that belongs into another slot; a device of no bytes.
 */
#define HATCH_HITS 16

struct hatch_call_hit {
	uint64_t extension;
	const struct hatch_catch *clause;
};

struct hatch_mmio_hit {
	uint64_t base, size;
	const struct hatch_catch *clause;
	uint64_t unused; /* a power of two in size: indexed by a shift */
};

/* The same for the long road: in which scope the event of this kind and key is asked about first. */
struct hatch_scope_hit {
	uint64_t kind, key, detail;	 /* detail: a call's function, an access's shape */
	struct hatch_scope *scope;	 /* NULL: empty */
	const struct hatch_catch *quick; /* the clause, if the short road may serve it, or NULL */
	uint64_t unused[3];		 /* a power of two in size */
};

/*
 * Invariants: `innermost` is `scope` or lies inside it; from innermost to the outermost every
 * scope is sealed exactly while the try is `entered`; a hit's clause is the first that would be
 * asked for its key, and may resume. Suspended, the try is not entered, and `event` and `cont`
 * are those of the catch; with `pending` the continuation has been opened again.
 */
struct hatch_try {
	struct hatch_vcpu *vcpu;
	struct hatch_scope scope;      /* the try's own clauses */
	struct hatch_scope *innermost; /* asked first */
	hatch_observer *observer;
	void *observer_arg;
	uint64_t deadline;  /* hatch_try_set_deadline; HATCH_NEVER: none */
	bool transactional; /* see hatch_try_run; set it between runs */

	/* The result of the last run. */
	enum hatch_outcome outcome;
	long status;
	int error;			   /* HATCH_FAILED: enum hatch_error */
	const struct hatch_catch *culprit; /* HATCH_FAILED: the clause; otherwise who ended it */
	struct hatch_event event;	   /* the event that ended it */

	/* Owned by the framework. */
	struct hatch_cont cont;
	bool entered;		 /* between the start of a run and its end */
	bool ended;		 /* cannot be run again */
	bool pending;		 /* the caller has an event to answer */
	bool suspended;		 /* a continuation is out: serial tells which */
	struct hatch_scope *own; /* the outermost of its own scopes: &scope, but of a clone */
	struct hatch_checkpoint *checkpoint; /* of the open transaction, or NULL */
	void *image;			/* the states while it does not run, once it was cloned */
	size_t image_size;		/* bytes */
	uint64_t args[8];		/* of a call that a transaction's end has undone */
	uint64_t serial;		/* counts the captures that are over */
	struct hatch_vcpu *interrupted; /* the vcpu whose handler runs this try, or NULL */
	struct hatch_event fast_call;	/* the fast path's events */
	struct hatch_event fast_mmio;
	enum hatch_verdict fast_verdict; /* an answer that is not the fast path's business */
	uint64_t fast_htinst;
	struct hatch_call_hit call_hit[HATCH_HITS]; /* by extension id */
	struct hatch_mmio_hit mmio_hit[HATCH_HITS]; /* by page */
	struct hatch_scope_hit scope_hit[HATCH_HITS];
};

/*
 * Makes a try for the vcpu, with an empty scope named "try". The vcpu is borrowed.
 * Errors: HATCH_EINVAL, HATCH_EBUSY (the vcpu runs in another try).
 */
int hatch_try_init(struct hatch_try *t, struct hatch_vcpu *vcpu);

/*
 * Puts `scope` inside the current innermost scope, between runs, and sets its `outer`: a scope is
 * inside one try at a time (what several share stands outside: the own scope's `outer`).
 * hatch_scope_leave takes the innermost one out again.
 * Errors: HATCH_EINVAL (also: the scope is there already), HATCH_ESEALED (the scope is in force),
 * HATCH_ENOENT (no scope inside the try's own).
 */
int hatch_scope_enter(struct hatch_try *t, struct hatch_scope *scope);
int hatch_scope_leave(struct hatch_try *t);

/*
 * Runs the guest until a clause unwinds or finishes it, an event is not caught, or a clause
 * breaks a rule. Then the try's own scopes are left: their finally clauses run, innermost first.
 * A try that ended with HATCH_UNWOUND or HATCH_UNCAUGHT may be run again: it goes on at the
 * instruction that trapped. HATCH_FAILED without a run: HATCH_ESTALE (after HATCH_DONE or
 * HATCH_FAILED, or it is suspended: use its continuation), HATCH_EBUSY (it runs).
 *
 * A try that is `transactional` either ends or leaves no trace: when a run comes back with
 * HATCH_UNWOUND, HATCH_UNCAUGHT or HATCH_FAILED, the guest's RAM, the vcpu's registers and the
 * states of the scopes in force are as they were when the run began (hatch_guest_begin tells what
 * of the memory). HATCH_DONE keeps everything. HATCH_SUSPENDED leaves the transaction open for
 * the run that goes on; hatch_cont_drop undoes it. Time is not put back, and neither is what
 * handlers did elsewhere. Finally clauses run after it.
 * More errors of a run: HATCH_ENOMEM, HATCH_EBUSY (another transaction of this guest is open).
 */
enum hatch_outcome hatch_try_run(struct hatch_try *t);

/*
 * Gives back what the framework holds for a try that was cloned, or suspended in a transaction
 * (which is undone). Harmless otherwise; not while it runs. The try has ended then.
 */
void hatch_try_fini(struct hatch_try *t);

/*
 * Answers a captured continuation as hatch_resume does and runs its try on, to its next end.
 * The second use of a continuation: HATCH_FAILED, and the try (which may be in the middle of
 * something else) is not touched. hatch_cont_reopen tells the two apart, and gives other answers.
 */
enum hatch_outcome hatch_cont_resume(const struct hatch_captured *captured, uint64_t value);

/*
 * Sets the try's deadline: once the guest's clock (hatch_vcpu_time) has reached `ticks`, its run
 * is interrupted with the event HATCH_DEADLINE, whatever the guest has switched off. Resumed or
 * retried, the guest goes on from the very instruction before which it stood; the deadline is
 * gone then, a handler that wants another sets it. HATCH_NEVER: none. Before a run, between runs
 * or in a handler of the try. While handlers run, time goes on, but nothing interrupts them.
 */
void hatch_try_set_deadline(struct hatch_try *t, uint64_t ticks);

/*
 * Pull form: runs the guest until an event that no registered clause takes and returns it; the
 * caller answers hatch_try_cont(t) and calls again. An event left unanswered is uncaught.
 * NULL: the try is over, see t->outcome. Leave the loop early only through hatch_try_leave.
 * Of several that are pulled on one hart the last begun comes first: NULL with HATCH_EBUSY for
 * another, and for a try whose own handler asks; nothing is changed then.
 */
const struct hatch_event *hatch_try_next(struct hatch_try *t);

static inline struct hatch_cont *hatch_try_cont(struct hatch_try *t)
{
	return &t->cont;
}

/* Leaves a pull loop before its end: as if the last event were unwound. Harmless otherwise. */
void hatch_try_leave(struct hatch_try *t);

/* One line about how the try ended, without a newline, into `line`. Returns line. */
char *hatch_try_format(const struct hatch_try *t, char *line, size_t size);

/*
 * Statement form, over the pull form:
 *
 *	hatch_try (&t, ev, k) {
 *		hatch_catch (hypercall, DEMO_EID)
 *			hatch_resume(k, ev->hypercall.arg[0] + 1);
 *		hatch_catch (mmio, LED_BASE, LED_SIZE)
 *			hatch_resume(k, led_access(ev));
 *		hatch_otherwise
 *			hatch_unwind(k, 1);
 *	}
 *
 * The block runs once for each event. Clauses are tried from top to bottom until one answers.
 * `break` leaves the try.
 */
#define hatch_try(try_, ev, k)                                                                     \
	for (struct hatch_try *hatch_now_ = (try_), *hatch_once_ = hatch_now_; hatch_once_;        \
	     hatch_try_leave(hatch_now_), hatch_once_ = NULL)                                      \
		for (struct hatch_cont *k = hatch_try_cont(hatch_now_); hatch_once_;               \
		     hatch_once_ = NULL)                                                           \
			for (const struct hatch_event *ev; (ev = hatch_try_next(hatch_now_));)

#define hatch_catch(kind, ...)                                                                     \
	if (!hatch_now_->cont.verdict && hatch_is_##kind(&hatch_now_->event, ##__VA_ARGS__))
#define hatch_otherwise if (!hatch_now_->cont.verdict)

static inline bool hatch_is_hypercall(const struct hatch_event *ev, uint64_t extension)
{
	return ev->kind == HATCH_HYPERCALL && ev->hypercall.extension == extension;
}

static inline bool hatch_is_syscall(const struct hatch_event *ev, uint64_t number)
{
	return ev->kind == HATCH_SYSCALL && ev->hypercall.extension == number;
}

/* Also makes ev->mmio.offset count from `base`. */
static inline bool hatch_is_mmio(struct hatch_event *ev, uint64_t base, uint64_t size)
{
	if (ev->kind != HATCH_MMIO || ev->mmio.gpa.addr - base >= size)
		return false;
	ev->mmio.offset = ev->mmio.gpa.addr - base;
	return true;
}

static inline bool hatch_is_wfi(const struct hatch_event *ev)
{
	return ev->kind == HATCH_WFI;
}

static inline bool hatch_is_breakpoint(const struct hatch_event *ev)
{
	return ev->kind == HATCH_BREAKPOINT;
}

static inline bool hatch_is_page(const struct hatch_event *ev, uint64_t base, uint64_t size)
{
	return ev->kind == HATCH_PAGE && ev->page.gpa.addr - base < size;
}

static inline bool hatch_is_illegal(const struct hatch_event *ev, uint32_t mask, uint32_t match)
{
	return ev->kind == HATCH_ILLEGAL && (ev->illegal.encoding & mask) == match;
}

static inline bool hatch_is_csr(const struct hatch_event *ev, uint16_t number)
{
	return ev->kind == HATCH_CSR && ev->csr.number == number;
}

static inline bool hatch_is_fault(const struct hatch_event *ev, uint64_t cause)
{
	return ev->kind == HATCH_FAULT && ev->fault.cause == cause;
}

static inline bool hatch_is_deadline(const struct hatch_event *ev)
{
	return ev->kind == HATCH_DEADLINE;
}

static inline bool hatch_is_interrupt(const struct hatch_event *ev, unsigned int irq)
{
	return ev->kind == HATCH_INTERRUPT && ev->interrupt.irq == irq;
}

#endif
