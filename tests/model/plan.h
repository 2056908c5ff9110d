/* SPDX-License-Identifier: MIT */
/*
 * A plan: tries, scopes, clauses with what their handlers will say, guests with what they will
 * do, and what the host does with all that. The model and the framework both carry it out; each
 * leaves a trace, and the two must be equal.
 *
 * Everything is an array, and whatever is `off` is not there: so a plan is made smaller by
 * switching things off, and no number changes its meaning.
 */
#ifndef MODEL_PLAN_H
#define MODEL_PLAN_H

#include <hatch/clone.h>

enum {
	PLAN_TRIES = 3,
	PLAN_CLONES = 4,
	PLAN_INSTANCES = PLAN_TRIES + PLAN_CLONES,
	PLAN_SCOPES = PLAN_TRIES + 5, /* the first ones are the tries' own */
	PLAN_CLAUSES = 20,
	PLAN_PULLERS = 4, /* callers with a script, behind the clauses */
	PLAN_SCRIPTS = PLAN_CLAUSES + PLAN_PULLERS,
	PLAN_ITEMS = 6,
	PLAN_FINALS = 8,
	PLAN_EVENTS = 10, /* the last one is the guest's end, over and over */
	PLAN_OPS = 128,
	PLAN_SLOTS = 3,
};

/* Where the events of a plan are. */
#define PLAN_EXTENSION UINT64_C(0x08500000)
#define PLAN_END       UINT64_C(0x085000ff) /* the extension of a guest's last call */
#define PLAN_DEVICE    UINT64_C(0x10000000)
#define PLAN_RAM       UINT64_C(0x80000000)
#define PLAN_RAM_SIZE  UINT64_C(0x4000)
#define PLAN_LAZY      UINT64_C(0x90000000) /* a region without pages */
#define PLAN_LAZY_SIZE UINT64_C(0x10000)

/*
 * What a guest does, once. `code` is the instruction, for those who have a machine. Of the kind
 * `deadline`: it spins for `value` ticks, whatever comes of it.
 */
struct plan_event {
	bool off;
	uint8_t guest; /* whose */
	enum hatch_kind kind;
	uint64_t key, function;
	uint64_t value; /* first argument, value stored, operand */
	uint8_t width;	/* mmio and page: bytes */
	bool write, sign;
	uint8_t length; /* of the instruction, bytes; 0: not known */
	uint8_t result; /* the register that an answer goes to */
	bool bare;	/* the hardware does not tell the instruction: it is fetched */
	bool brought;	/* the firmware brings it to the host though it was delegated */
	uint32_t code;
};

/* What a handler says. The last ones break a rule, or nearly. */
enum plan_say {
	SAY_PASS,
	SAY_RESUME,
	SAY_PAIR,
	SAY_SKIP,
	SAY_RETRY,
	SAY_INJECT,
	SAY_THROW,
	SAY_UNWIND,
	SAY_FINISH,
	SAY_CAPTURE,
	SAY_SECOND,    /* answers twice, returns what the first answer gave */
	SAY_TWICE,     /* answers twice, returns what the second one gave */
	SAY_OTHER,     /* answers resume, returns skip */
	SAY_TAKE_BACK, /* answers resume, returns pass */
	SAY_SILENT,    /* returns resume without an answer */
	SAY_BAD_THROW, /* throws what is no data fault */
	SAYS,
};

/* One line of a script: first the operations, then the answer. */
struct plan_item {
	bool off;
	enum plan_say say;
	uint64_t value, second; /* RESUME, PAIR; INJECT: cause, tval; THROW: cause, address */
	int slot;		/* CAPTURE */
	int first_op, ops;
};

/* A clause, or a caller who pulls (then only the script counts). Behind its end it passes. */
struct plan_script {
	bool off;
	enum hatch_kind kind;
	unsigned int may;
	uint64_t first, last, function_first, function_last;
	bool registers;
	struct plan_item item[PLAN_ITEMS];
};

enum plan_do {
	DO_ADD,	     /* clause a to scope b */
	DO_REMOVE,   /* clause a from scope b */
	DO_FINALLY,  /* final a to its scope */
	DO_STATE,    /* try a's own scope has a state: how often its clauses were asked */
	DO_ENTER,    /* instance a enters scope b */
	DO_LEAVE,    /* instance a leaves its innermost scope */
	DO_RUN,	     /* instance a */
	DO_PULL,     /* instance a, by the script b */
	DO_NEXT,     /* instance a, one event, answered by the next line of script b */
	DO_QUIT,     /* leaves the pulling of instance a */
	DO_DEADLINE, /* of instance a: `value` ticks from now */
	DO_ANSWER,   /* resumes what instance a waits for, with value */
	DO_RESUME,   /* slot a with value */
	DO_REOPEN,   /* slot a, answered by the next line of script b, then run */
	DO_DROP,     /* slot a */
	DO_COPY,     /* slot a to slot b */
	DO_CLONE,    /* slot a; the new continuation to slot b */
	DO_FINI,     /* ends instance a */
	DOES,
};

struct plan_op {
	bool off;
	enum plan_do what;
	int a, b;
	uint64_t value;
};

struct plan {
	uint64_t seed;
	int tries, ops, main_ops; /* the host's own operations are the first main_ops */
	int outer[PLAN_SCOPES];	  /* of each scope, -1: none */
	bool absent[PLAN_TRIES], observed[PLAN_TRIES], transactional[PLAN_TRIES];
	struct plan_event event[PLAN_TRIES][PLAN_EVENTS];
	struct plan_script script[PLAN_SCRIPTS];
	/* Of each final: its scope, and what it does when it runs for the first time. */
	int final_scope[PLAN_FINALS], final_op[PLAN_FINALS], final_ops[PLAN_FINALS];
	struct plan_op op[PLAN_OPS];
};

/* Which plans to make. */
struct plan_limits {
	bool machine; /* only what real instructions can bring about at will */
	bool capture, clone, transaction;
	bool stray; /* handlers may leave what they pulled without leaving it */
};

void plan_make(struct plan *plan, uint64_t seed, const struct plan_limits *limits);

/* The plan as text, to standard output. */
void plan_show(const struct plan *plan);
void plan_show_event(const struct plan_event *ev);

/* The index of the first event from `at` on that is not off. */
static inline int plan_next(const struct plan *plan, int guest, int at)
{
	while (at < PLAN_EVENTS - 1 && plan->event[guest][at].off)
		at++;
	return at;
}

#endif
