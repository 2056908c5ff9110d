/* SPDX-License-Identifier: MIT */
/*
 * The Supervisor Binary Interface, version 2.0, as a clause for each extension.
 *
 * All of it: hatch_sbi_init, fill in the sinks, hatch_sbi_add. A part of it: hatch_sbi_init, and
 * hatch_catch_add for the clauses of struct hatch_sbi that you want. probe_extension tells the
 * guest what is really there: it looks at the clauses of the scopes that are in force, yours
 * included.
 */
#ifndef HATCH_HANDLERS_SBI_H
#define HATCH_HANDLERS_SBI_H

#include <hatch/handlers/timer.h>
#include <hatch/try.h>

/* Extension ids (SBI 2.0, chapters 4 to 13). */
#define SBI_EXT_LEGACY_FIRST 0x00
#define SBI_EXT_LEGACY_LAST  0x08
#define SBI_EXT_BASE	     0x10
#define SBI_EXT_TIME	     0x54494d45
#define SBI_EXT_IPI	     0x735049
#define SBI_EXT_RFENCE	     0x52464e43
#define SBI_EXT_HSM	     0x48534d
#define SBI_EXT_SRST	     0x53525354
#define SBI_EXT_DBCN	     0x4442434e
#define SBI_EXT_SUSP	     0x53555350

/* Error codes, what a guest finds in a0 (SBI 2.0, table 1). */
enum sbi_error {
	SBI_SUCCESS = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
	SBI_ERR_ALREADY_STARTED = -7,
	SBI_ERR_ALREADY_STOPPED = -8,
	SBI_ERR_NO_SHMEM = -9,
};

/* Hart states (SBI 2.0, table 24). RESUME_PENDING and SUSPEND_PENDING last no time here. */
enum sbi_hart_state {
	SBI_HART_STARTED = 0,
	SBI_HART_STOPPED = 1,
	SBI_HART_START_PENDING = 2,
	SBI_HART_STOP_PENDING = 3,
	SBI_HART_SUSPENDED = 4,
	SBI_HART_SUSPEND_PENDING = 5,
	SBI_HART_RESUME_PENDING = 6,
};

#define SBI_SPEC_VERSION  (2UL << 24) /* 2.0 */

/*
 * What get_impl_id says: "HTCH" in ASCII. The specification's table assigns small numbers to
 * registered implementations; this is far from them.
 */
#define HATCH_SBI_IMPL_ID 0x48544348UL

/* Major, minor and patch level, a byte each. The build may say otherwise. */
#ifndef HATCH_VERSION_NUMBER
#define HATCH_VERSION_NUMBER 0x000100UL
#endif

/* The longest piece of guest memory that one console call moves, bytes. */
#define HATCH_SBI_CONSOLE_MAX 4096

/*
 * One hart of the guest. The user owns an array of them. `state` is changed atomically, without a
 * lock: by any hart from STOPPED to START_PENDING, by compare-exchange; otherwise only by whoever
 * runs the hart's try, or by its handlers. From START_PENDING on the starter owns the vcpu, until
 * it has called hatch_sbi_remote.start.
 */
struct hatch_sbi_hart {
	struct hatch_vcpu *vcpu;
	uint64_t id; /* by which the guest knows it: what vcpu->hart_id is at hatch_sbi_init */
	int state;   /* enum sbi_hart_state */
};

/* Where the guest's console calls go. A missing function: SBI_ERR_DENIED. */
struct hatch_sbi_console {
	void (*write)(void *arg, const void *bytes, size_t size);
	int (*read)(void *arg); /* a byte, or -1 when none waits */
	void *arg;
};

/* How a stopped hart comes to run; not needed by a guest with one hart. */
struct hatch_sbi_remote {
	/*
	 * Has somebody run `hart`, whose vcpu has been reset to its start, and set its state to
	 * SBI_HART_STARTED then. May return before that. Returns 0, or an error: the guest is told
	 * SBI_ERR_FAILED, and the hart is stopped again.
	 */
	int (*start)(void *arg, struct hatch_sbi_hart *hart);
	void *arg;
};

/* What the guest asked for when its try ended. */
enum hatch_reset_kind {
	HATCH_RESET_NONE, /* nothing: the try ended for another reason */
	HATCH_RESET_SHUTDOWN,
	HATCH_RESET_COLD_REBOOT,
	HATCH_RESET_WARM_REBOOT,
	HATCH_RESET_STOPPED, /* the last hart stopped itself: nothing can ever happen again */
};

/*
 * The SBI of one guest. The user owns it and fills `console`, `remote` and the machine ids after
 * hatch_sbi_init as needed. Its clauses may serve all harts at once, and hold no lock: what the
 * console's functions need they bring themselves.
 */
struct hatch_sbi {
	struct hatch_sbi_hart *hart;
	unsigned int harts;
	bool ordered; /* hart[i].id is i: found without a search */
	struct hatch_sbi_console console;
	struct hatch_sbi_remote remote;
	struct hatch_timer *timer;
	uint64_t mvendorid, marchid, mimpid; /* 0 is always a legal answer */

	/* The result: true after the try ended with HATCH_DONE. Of several harts the first is heard. */
	enum hatch_reset_kind reset;
	uint32_t reason; /* 0: none, 1: system failure */

	struct hatch_catch base, time, ipi, rfence, hsm, srst, dbcn, susp, legacy;
	struct hatch_catch rest; /* every other id */

	/*
	 * `reset`, `reason` and the harts' states. Whichever continuation it is put back for, the
	 * machine's only hart follows: hart[0].vcpu is its vcpu then, and the host's timer is armed
	 * for what that waits for. A guest of several harts has clones of one vcpu only, which
	 * could not reach the others: they do not run (HATCH_ENOTSUP). A transaction of one hart
	 * puts the states of all back. A snapshot can be of a hart that is started while all others
	 * are stopped; where it is loaded they have its time, and can be started.
	 */
	struct hatch_state state;
};

/*
 * Prepares the clauses. `hart` (borrowed) lists the guest's harts, of which `vcpu` is filled in;
 * the first one is started, the others are stopped. `timer` is borrowed.
 */
void hatch_sbi_init(struct hatch_sbi *sbi, struct hatch_sbi_hart *hart, unsigned int harts,
		    struct hatch_timer *timer);

/*
 * Adds every clause but `rest`, and the timer's. Add sbi->state yourself if the guest may be
 * cloned, rolled back or saved: as the last one of its scope, since states are put back in the
 * opposite order and the other devices' wires lead to hart[0].vcpu.
 *
 * A hart that stops itself leaves its try: HATCH_UNWOUND, its state STOP_PENDING. Set the state to
 * SBI_HART_STOPPED when the run has come back, not before: from then on another hart may reset its
 * vcpu and start it anew. Two harts may stop at the same moment, each seeing the other alive: if
 * all are stopped then, nothing can happen any more. (hatch_machine_serve does all that.)
 * Errors: those of hatch_catch_add; then none of them is added.
 */
int hatch_sbi_add(struct hatch_sbi *sbi, struct hatch_scope *scope);

/*
 * Adds the clause that answers every other id with SBI_ERR_NOT_SUPPORTED. It claims all ids, so
 * it belongs into a scope of its own around the others. Errors: those of hatch_catch_add.
 */
int hatch_sbi_add_rest(struct hatch_sbi *sbi, struct hatch_scope *outer);

#endif
