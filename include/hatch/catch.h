/* SPDX-License-Identifier: MIT */
/*
 * Catch clauses and the scopes that hold them.
 */
#ifndef HATCH_CATCH_H
#define HATCH_CATCH_H

#include <hatch/cont.h>

/*
 * A handler looks at the event, answers the continuation once and returns the verdict that the
 * answer gave; or returns HATCH_PASS without answering. It runs with the hart's interrupts off,
 * on the hart's stack, and must not wait.
 */
typedef enum hatch_verdict hatch_handler(void *arg, const struct hatch_event *ev,
					 struct hatch_cont *k);

/*
 * One clause. The user owns it, fills the first part by one of the macros below, and keeps it
 * alive and unchanged while it is in a scope. A clause is in one scope at a time.
 * Key: events with first <= key <= last; of hypercalls also the function within
 * [function_first, function_last]; illegal: (encoding & last) == first.
 */
struct hatch_catch {
	enum hatch_kind kind;
	unsigned int may; /* HATCH_MAY(...) or-ed: the verdicts that the handler may return */
	uint64_t first, last;
	uint64_t function_first, function_last;
	hatch_handler *handler;
	void *arg;
	const char *name;
	bool registers; /* the handler reads or writes registers beyond the event's own */

	/* Owned by the scope. */
	struct hatch_scope *scope;
	struct hatch_catch *next, *left, *right, *group;
};

#define HATCH_CLAUSE_(kind_, first_, last_, f_first_, f_last_, handler_, arg_)                     \
	{                                                                                          \
		.kind = (kind_), .may = HATCH_MAY_ALL, .first = (first_), .last = (last_),         \
		.function_first = (f_first_), .function_last = (f_last_), .handler = (handler_),   \
		.arg = (arg_), .name = #handler_                                                   \
	}

#define HATCH_KEYED_(kind, first, last, handler, arg)                                              \
	HATCH_CLAUSE_(kind, first, last, 0, UINT64_MAX, handler, arg)

/* All functions of one SBI extension id. */
#define HATCH_ON_HYPERCALL(extension, handler, arg)                                                \
	(struct hatch_catch) HATCH_KEYED_(HATCH_HYPERCALL, extension, extension, handler, arg)
/* One function of one extension. */
#define HATCH_ON_HYPERCALL_FUNCTION(extension, function, handler, arg)                             \
	(struct hatch_catch) HATCH_CLAUSE_(HATCH_HYPERCALL, extension, extension, function,        \
					   function, handler, arg)
/* All extension ids from first to last. */
#define HATCH_ON_HYPERCALLS(first, last, handler, arg)                                             \
	(struct hatch_catch) HATCH_KEYED_(HATCH_HYPERCALL, first, last, handler, arg)
/* System calls (ecall from VU-mode) with numbers from first to last. */
#define HATCH_ON_SYSCALLS(first, last, handler, arg)                                               \
	(struct hatch_catch) HATCH_KEYED_(HATCH_SYSCALL, first, last, handler, arg)
/* Loads and stores in [base, base + size), guest-physical bytes, outside all regions; size > 0. */
#define HATCH_ON_MMIO(base, size, handler, arg)                                                    \
	(struct hatch_catch) HATCH_KEYED_(HATCH_MMIO, base, (base) + (size)-1, handler, arg)
/* Page events in [base, base + size) of a region. */
#define HATCH_ON_PAGE(base, size, handler, arg)                                                    \
	(struct hatch_catch) HATCH_KEYED_(HATCH_PAGE, base, (base) + (size)-1, handler, arg)
/* Illegal instructions with (encoding & mask) == match. */
#define HATCH_ON_ILLEGAL(mask, match, handler, arg)                                                \
	(struct hatch_catch) HATCH_KEYED_(HATCH_ILLEGAL, match, mask, handler, arg)
/* CSR instructions on CSRs from first to last. */
#define HATCH_ON_CSR(first, last, handler, arg)                                                    \
	(struct hatch_catch) HATCH_KEYED_(HATCH_CSR, first, last, handler, arg)
#define HATCH_ON_WFI(handler, arg) (struct hatch_catch) HATCH_KEYED_(HATCH_WFI, 0, 0, handler, arg)
#define HATCH_ON_BREAKPOINT(handler, arg)                                                          \
	(struct hatch_catch) HATCH_KEYED_(HATCH_BREAKPOINT, 0, 0, handler, arg)
/* Exceptions with causes (CAUSE_...) from first to last. */
#define HATCH_ON_FAULT(first, last, handler, arg)                                                  \
	(struct hatch_catch) HATCH_KEYED_(HATCH_FAULT, first, last, handler, arg)
/* One interrupt of the host (IRQ_S_...). */
#define HATCH_ON_INTERRUPT(irq, handler, arg)                                                      \
	(struct hatch_catch) HATCH_KEYED_(HATCH_INTERRUPT, irq, irq, handler, arg)
/* The try's deadline. */
#define HATCH_ON_DEADLINE(handler, arg)                                                            \
	(struct hatch_catch) HATCH_KEYED_(HATCH_DEADLINE, 0, 0, handler, arg)
/* Whatever reaches this scope and no other clause of it answered. One for each scope. */
#define HATCH_ON_ANY(handler, arg)                                                                 \
	(struct hatch_catch) HATCH_KEYED_(HATCH_ANY, 0, UINT64_MAX, handler, arg)

/* Runs when its scope is left. The user owns it. */
struct hatch_finally {
	void (*run)(void *arg);
	void *arg;
	struct hatch_finally *next; /* owned by the scope */
};

/*
 * What clauses know about their guest beyond its memory and registers: a device's registers, say.
 * It is copied with a clone, put back by a transaction, and written into a snapshot. The user owns
 * the struct and fills all but `next`. `to` and `from` are `size` bytes, aligned to 8. States are
 * put back behind the vcpu's registers, innermost scope first, in each the last added first.
 */
struct hatch_state {
	const char *name; /* borrowed; a snapshot finds the state by it */
	uint32_t version; /* of the format; one that restore does not know is refused */
	size_t size;	  /* bytes, the same at each call */
	void (*save)(void *arg, void *to);
	/*
	 * `vcpu` is the one that the state belongs to from now on: after a clone it is another one.
	 * It may run on the hart at that moment. The bytes may come from a file: check them. Errors:
	 * HATCH_EFORMAT, HATCH_ENOTSUP (this vcpu or machine cannot have that state); nothing is
	 * changed then.
	 */
	int (*restore)(void *arg, const void *from, struct hatch_vcpu *vcpu);
	/*
	 * NULL, or: the guest's memory is about to be put back, and what the state is of must not
	 * write to it any more. `restore` follows.
	 */
	void (*stop)(void *arg);
	/*
	 * NULL, or: whether the registers of `vcpu` are all that the guest has of registers beside
	 * this state, as where every other hart is stopped. A snapshot has one vcpu's: one of a
	 * guest with more is neither saved nor loaded.
	 */
	bool (*is_alone)(void *arg, const struct hatch_vcpu *vcpu);
	void *arg;
	struct hatch_state *next; /* owned by the scope */
};

/*
 * Clauses that are in force together, and the scope around them. Tries on several harts may have
 * the same scopes around theirs: sealed ones are only read. To change one is the affair of one hart,
 * while it is not sealed.
 * Invariants: clauses of one kind have disjoint keys. While `sealed` is not 0 nothing is added or
 * taken out, and `tree` holds for each kind a balanced search tree of the clauses in the order of
 * their keys; of the illegal kind one tree for each mask, their roots linked by `group`.
 */
struct hatch_scope {
	const char *name;
	struct hatch_scope *outer; /* asked next; NULL: outermost */
	struct hatch_catch *clauses;
	struct hatch_finally *finally; /* the last added runs first */
	struct hatch_state *states;
	struct hatch_catch *tree[HATCH_KINDS];
	struct hatch_catch *any;
	struct hatch_lock lock; /* guards `sealed`, and the tables until they are built */
	unsigned int sealed;	/* how many running tries it is in force in */
	bool built;		/* the tables are those of `clauses` */
};

/* An empty scope inside `outer` (NULL: outermost). The name is borrowed, for messages. */
void hatch_scope_init(struct hatch_scope *scope, const char *name, struct hatch_scope *outer);

/*
 * Adds a clause. The scope borrows it until hatch_catch_remove or its own end.
 * Errors: HATCH_EINVAL (no handler, first > last, a match outside its mask, already in a scope),
 * HATCH_EOVERLAP (hatch_catch_conflict names the other clause), HATCH_ESEALED (a try runs).
 */
int hatch_catch_add(struct hatch_scope *scope, struct hatch_catch *clause);

/* Takes a clause out again. Errors: HATCH_ENOENT (not in this scope), HATCH_ESEALED. */
int hatch_catch_remove(struct hatch_scope *scope, struct hatch_catch *clause);

/* The clause of the scope with which `clause` would overlap, or NULL. */
struct hatch_catch *hatch_catch_conflict(const struct hatch_scope *scope,
					 const struct hatch_catch *clause);

/* Adds an action for when the scope is left. Errors: HATCH_EINVAL, HATCH_ESEALED. */
int hatch_finally_add(struct hatch_scope *scope, struct hatch_finally *finally);

/*
 * Adds a state. The scope borrows it until its own end.
 * Errors: HATCH_EINVAL (no name, save or restore; it is there), HATCH_EOVERLAP (the name is taken
 * in this scope), HATCH_ESEALED.
 */
int hatch_state_add(struct hatch_scope *scope, struct hatch_state *state);

/*
 * Seals the scope: builds the tables by which clauses are found. Counted; hatch_try does it for
 * every scope that it runs with. The first time after a change O(n log n) in the number of
 * clauses, then O(1). No memory is needed: the clauses themselves are the nodes.
 */
void hatch_scope_seal(struct hatch_scope *scope);
void hatch_scope_unseal(struct hatch_scope *scope);

/* The clause of this sealed scope that catches the event, HATCH_ANY aside; NULL if none. */
struct hatch_catch *hatch_scope_find(const struct hatch_scope *scope, const struct hatch_event *ev);

#endif
