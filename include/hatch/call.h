/* SPDX-License-Identifier: MIT */
/*
 * The call form: an ordinary C function of this very program runs in guest mode, and the call
 * yields its value or the event that stopped it.
 *
 *	hatch_box_init(&box, hatch_board_memory(), hatch_board_image(), 16384, 0);
 *	hatch_box_grant(&box, page, sizeof(page), HATCH_PROT_READ);
 *	struct hatch_call_result r = hatch_call(&box, parse, page, length);
 *	if (r.outcome == HATCH_DONE)
 *		use(r.value);
 *
 * The function runs in VU-mode with translation off, behind a G-stage that maps the program's
 * code (read, execute), its constants (read), a stack, thread-local variables and a heap of the
 * box's own, and what was granted; all of it at the addresses it was linked to. Nothing else is
 * there: no variable of the host, no device, no counter, no privileged instruction.
 */
#ifndef HATCH_CALL_H
#define HATCH_CALL_H

#include <hatch/try.h>

#define HATCH_BOX_OFFERS     16
#define HATCH_BOX_NAME_SIZE  32		  /* bytes of an offer's name, its end included */
#define HATCH_BOX_STACK_ROOM (64UL << 20) /* bytes: the most that a box takes for stack or heap */

/*
 * Where the program's own parts are, all page-aligned; whatever shares their pages is visible to
 * the boxed function. The thread-local image [tls, tls_end) needs no alignment: it is copied.
 */
struct hatch_box_image {
	const void *text, *text_end;	 /* code */
	const void *rodata, *rodata_end; /* constants */
	const void *tls, *tls_end;	 /* what thread-local variables begin with */
	size_t tls_size;		 /* bytes from tp on, the zeroed ones included; 0: none */
};

/* Why a call came back. */
enum hatch_stop {
	HATCH_STOP_NONE,       /* the function returned */
	HATCH_STOP_REFUSED,    /* it was not called: hatch_call_result.error */
	HATCH_STOP_READ,       /* it read what it may not */
	HATCH_STOP_WRITE,      /* it wrote what it may not */
	HATCH_STOP_JUMP,       /* it jumped to what is no code */
	HATCH_STOP_STACK,      /* it ran over the end of its stack */
	HATCH_STOP_MISALIGNED, /* an address does not fit the access: atomics must be aligned */
	HATCH_STOP_ILLEGAL,    /* an instruction that is none (HATCH_FAILED: see HATCH_EFIRMWARE) */
	HATCH_STOP_PRIVILEGED, /* an instruction or a CSR that is not for it */
	HATCH_STOP_BREAKPOINT, /* ebreak */
	HATCH_STOP_LATE,       /* its time was up */
	HATCH_STOP_DENIED,     /* it asked for a function that is not offered */
	HATCH_STOP_OFFER,      /* an offered function failed: hatch_call_result.error */
	HATCH_STOP_OTHER,      /* hatch_call_result.event tells */
};

/* "returned", "read", "stack overflow", ...; never NULL. */
const char *hatch_stop_name(enum hatch_stop stop);

/*
 * HATCH_DONE: the value. HATCH_UNCAUGHT: the event. HATCH_FAILED: the error; no event.
 */
struct hatch_call_result {
	enum hatch_outcome outcome;
	enum hatch_stop stop;
	union {
		uint64_t value; /* of a function that returns an integer or a pointer */
		double fvalue;	/* of one that returns double or float */
	};
	uint64_t pc;			 /* where it was stopped */
	uint64_t tval;			 /* the address it wanted, or the instruction */
	const struct hatch_event *event; /* in the box: until its next call, reset or end */
	int error;
};

struct hatch_box;

/*
 * A function of the host that boxed code may ask for. `args` are the words behind the name: the
 * host's own copy. A pointer among them is the box's claim: use hatch_box_copy_in and its kin.
 * Returns 0, with the answer in *answer, or an error (negative) that ends the call.
 */
typedef int hatch_offer(void *arg, struct hatch_box *box, const uint64_t args[7], uint64_t *answer);

enum hatch_box_state {
	HATCH_BOX_READY = 0, /* known to call_door.S */
	HATCH_BOX_RUNNING,
	HATCH_BOX_STOPPED, /* by an event: it waits for hatch_box_reset, or hatch_call_resume */
	HATCH_BOX_GONE,
};

/*
 * Owned by the framework; belongs to one hart at a time.
 * Invariants: the vcpu's registers stay in the hart between two calls, until another vcpu wants
 * the hart. vcpu.running is the try exactly while RUNNING. `block` holds, from its start:
 * guard, stack, guard, thread-local variables, guard, heap, guard; guards are never mapped.
 */
struct hatch_box {
	/* From here to the vcpu: known to call_door.S. */
	uint64_t state; /* enum hatch_box_state */
	uint64_t ticks; /* how long a call may take; 0: as long as it likes */
	uint8_t *stack_top, *tls;
	struct hatch_try *running; /* what vcpu.running is while RUNNING: &t */
	struct hatch_vcpu vcpu;

	struct hatch_guest guest;
	struct hatch_try t; /* holds the event; has no clauses */
	struct hatch_box_image image;
	uint8_t *block, *heap;
	size_t block_size, stack_size, heap_size; /* bytes */
	int answer;	/* of a stopped call: in which registers it comes */
	bool resumable; /* STOPPED between two instructions */
	struct {
		const char *name;
		hatch_offer *offer;
		void *arg;
	} offers[HATCH_BOX_OFFERS];
	unsigned int offers_used;
};

/*
 * Makes a box with a stack and a heap of that many bytes, multiples of 4 KiB; the heap may be 0.
 * `memory` must outlive the box, which takes all it needs from there. It must hand out memory
 * at its host-physical addresses, as any does while the host runs without translation.
 * Errors: HATCH_EINVAL (NULL; a size or the image is not page-aligned, or it is empty or lacks
 * hatch's own code; no stack), HATCH_E2BIG (more than HATCH_BOX_STACK_ROOM), HATCH_EOVERLAP
 * (code and constants share a page: align them in the linker script), HATCH_ENOMEM,
 * HATCH_ENOTSUP (no H extension; memory is not where it says). On failure nothing is kept.
 */
int hatch_box_init(struct hatch_box *box, const struct hatch_memory *memory,
		   const struct hatch_box_image *image, size_t stack_size, size_t heap_size);

/*
 * Gives back everything. Errors: HATCH_EINVAL (NULL), HATCH_EBUSY (it runs, or stands on another
 * hart: hatch_box_park there), HATCH_ESTALE (it has ended before).
 */
int hatch_box_fini(struct hatch_box *box);

/*
 * After an event: clears registers, stack and heap, and gives thread-local variables their first
 * values. Grants, offers and the limit stay. Errors as hatch_box_fini.
 */
int hatch_box_reset(struct hatch_box *box);

/* Takes the box off this hart, so that another may call with it. Errors as hatch_box_fini. */
int hatch_box_park(struct hatch_box *box);

/*
 * Lets the box read (HATCH_PROT_READ) or read and write (with HATCH_PROT_WRITE) the host's
 * buffer, which stays the caller's. Buffer and size are multiples of 4 KiB: everything in a page
 * is granted with it. Errors: HATCH_EINVAL (NULL, size 0, alignment, other rights, beyond the address space),
 * HATCH_EOVERLAP (with the program's code or constants, the box's own memory or another grant),
 * HATCH_E2BIG (too many grants: HATCH_GUEST_REGIONS less the box's five), HATCH_ENOMEM,
 * HATCH_ESTALE (the box has ended).
 */
int hatch_box_grant(struct hatch_box *box, void *buffer, size_t size, unsigned int prot);

/* Takes a grant back. Errors: HATCH_EINVAL (NULL), HATCH_ENOENT (no grant begins there). */
int hatch_box_revoke(struct hatch_box *box, void *buffer);

/*
 * Lets boxed code ask for `offer` by name. The name is borrowed.
 * Errors: HATCH_EINVAL (NULL, empty name), HATCH_E2BIG (HATCH_BOX_NAME_SIZE, HATCH_BOX_OFFERS),
 * HATCH_EOVERLAP (the name is taken).
 */
int hatch_box_offer(struct hatch_box *box, const char *name, hatch_offer *offer, void *arg);

/*
 * Limits every later call to that many ticks of the host's clock; 0: no limit. Without a limit
 * an endless loop never ends. What offered functions take counts, but is not interrupted.
 * Errors: HATCH_EINVAL (NULL), HATCH_EBUSY (it runs), HATCH_ESTALE (the box has ended).
 */
int hatch_box_limit(struct hatch_box *box, uint64_t ticks);

/*
 * Whether the box may access all of [at, at + size) with these rights.
 * Errors: HATCH_EFAULT (it may not), HATCH_EINVAL (NULL box, no rights asked for).
 */
int hatch_box_check(const struct hatch_box *box, const void *at, size_t size, unsigned int prot);

/*
 * Copy from the box, to the box, and a text from the box, with the box's own rights. `to` of a
 * text has room for `size` bytes, its end included. Errors: HATCH_EFAULT (the box may not),
 * HATCH_EINVAL (NULL), HATCH_E2BIG (no end of the text within `size` bytes).
 */
int hatch_box_copy_in(const struct hatch_box *box, const void *from, void *to, size_t size);
int hatch_box_copy_out(struct hatch_box *box, const void *from, void *to, size_t size);
int hatch_box_copy_text(const struct hatch_box *box, const char *from, char *to, size_t size);

/* The box's heap, to be handed to boxed code; NULL when it has none. */
void *hatch_box_heap(const struct hatch_box *box);

/* ---- For code that runs in a box -------------------------------------------------------------- */

/*
 * `size` bytes of the heap, aligned to 16; NULL when it is used up. All of it comes back by
 * hatch_box_reset. Not for the host: the heap's books are in the box's hands.
 */
void *hatch_heap_alloc(void *heap, size_t size);

/*
 * Asks the host for an offered function, with up to 7 integers or pointers. Returns its answer,
 * or not at all.
 */
uint64_t hatch_ask(const char *name, ...);

/*
 * The C library is there as far as it keeps no variables: string and number functions are, malloc
 * and printf are not.
 */

/* ---- The call --------------------------------------------------------------------------------- */

enum hatch_answer {
	HATCH_ANSWER_INTEGER,
	HATCH_ANSWER_DOUBLE,
	HATCH_ANSWER_FLOAT,
};

/* What the caller's side of a call leaves on its stack for the framework. */
struct hatch_call_frame {
	struct hatch_box *box; /* first: call_door.S */
	uint64_t function;
	uint32_t arguments; /* registers of each kind that may carry one: 0 to 8 */
	enum hatch_answer answer;
	struct hatch_call_result result;
};

/*
 * What hatch_call really calls, as if it were the boxed function itself: so the compiler checks
 * and converts the arguments and puts them where the function wants them. The frame comes in the
 * register that the calling convention keeps for the environment of nested functions.
 */
extern const uint8_t hatch_call_door[];

/*
 * Calls a function in the box: up to 8 integers or pointers and 8 floating-point numbers; it
 * returns an integer, a pointer, a double, a float or nothing. Functions with `...` and structs
 * by value are not for boxes. Evaluates each of its arguments once. The result's `error`, when
 * it was not called: HATCH_EINVAL (no box), HATCH_ESTALE (stopped by an event and not reset, or
 * ended), HATCH_EBUSY (called from a function that the same box asked for, or the box stands on
 * another hart).
 */
#define hatch_call(box_, function_, ...)                                                           \
	({                                                                                         \
		struct hatch_call_frame hatch_call_ = {                                            \
			.box = (box_),                                                             \
			.function = (uintptr_t)(function_),                                        \
			.arguments = HATCH_KEPT_(HATCH_COUNT_(0, ##__VA_ARGS__)),                  \
			.answer = HATCH_ANSWER_(__typeof__((function_)(__VA_ARGS__))),             \
		};                                                                                 \
		_Static_assert(HATCH_FITS_(HATCH_SUM_(0, ##__VA_ARGS__)),                          \
			       "a box takes up to 8 integers or pointers and 8 doubles");          \
		_Static_assert(sizeof(__typeof__((function_)(__VA_ARGS__))) <= 8,                  \
			       "a box returns an integer, a pointer, a double or nothing");        \
		(void)__builtin_call_with_static_chain(                                            \
			((__typeof__(&*(function_)))(uintptr_t)hatch_call_door)(__VA_ARGS__),      \
			&hatch_call_);                                                             \
		hatch_call_.result;                                                                \
	})

/*
 * Goes on with the call that was stopped between two instructions: by its limit, of which it gets
 * the whole again, or by an interrupt of the host. HATCH_STOP_REFUSED: HATCH_ESTALE (the box is
 * not stopped so), HATCH_EINVAL, HATCH_EBUSY (it stands on another hart).
 */
struct hatch_call_result hatch_call_resume(struct hatch_box *box);

/* One line about a call's result, without a newline, into `line`. Returns line. */
char *hatch_call_format(const struct hatch_call_result *result, char *line, size_t size);

#define HATCH_ANSWER_(type)                                                                        \
	(__builtin_types_compatible_p(type, double)  ? HATCH_ANSWER_DOUBLE                         \
	 : __builtin_types_compatible_p(type, float) ? HATCH_ANSWER_FLOAT                          \
						     : HATCH_ANSWER_INTEGER)

/* The compiler's number for a type: 8 is floating point, those above are for no register. */
#define HATCH_CLASS_(x) __builtin_classify_type(x)

/* 1 for an integer or pointer, 0x100 for a floating-point number, more for all else. */
#define HATCH_WEIGHT_(x)                                                                           \
	(HATCH_CLASS_(x) > 8 || (HATCH_CLASS_(x) != 5 && sizeof(x) > 8) ? 0x10000                  \
	 : HATCH_CLASS_(x) == 8						? 0x100                    \
									: 1)
#define HATCH_KEPT_(count) ((count) < 8 ? (count) : 8)
#define HATCH_FITS_(sum)   (((sum)&0xff) <= 8 && (sum) >> 8 <= 8)

/* How many arguments without the first: 0 to 16. */
#define HATCH_COUNT_(...)                                                                          \
	HATCH_NUMBER_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define HATCH_NUMBER_(z, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, number, ...) number

/* The sum of the weights of all arguments but the first. */
#define HATCH_SUM_(...)								      HATCH_SUM_OF_(HATCH_COUNT_(__VA_ARGS__), __VA_ARGS__)
#define HATCH_SUM_OF_(number, ...)						      HATCH_SUM_PASTE_(number, __VA_ARGS__)
#define HATCH_SUM_PASTE_(number, ...)						      HATCH_SUM_##number##_(__VA_ARGS__)

#define HATCH_SUM_0_(z)								      0
#define HATCH_SUM_1_(z, x)							      HATCH_WEIGHT_(x)
#define HATCH_SUM_2_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_1_(z, __VA_ARGS__))
#define HATCH_SUM_3_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_2_(z, __VA_ARGS__))
#define HATCH_SUM_4_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_3_(z, __VA_ARGS__))
#define HATCH_SUM_5_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_4_(z, __VA_ARGS__))
#define HATCH_SUM_6_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_5_(z, __VA_ARGS__))
#define HATCH_SUM_7_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_6_(z, __VA_ARGS__))
#define HATCH_SUM_8_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_7_(z, __VA_ARGS__))
#define HATCH_SUM_9_(z, x, ...)							      (HATCH_WEIGHT_(x) + HATCH_SUM_8_(z, __VA_ARGS__))
#define HATCH_SUM_10_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_9_(z, __VA_ARGS__))
#define HATCH_SUM_11_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_10_(z, __VA_ARGS__))
#define HATCH_SUM_12_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_11_(z, __VA_ARGS__))
#define HATCH_SUM_13_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_12_(z, __VA_ARGS__))
#define HATCH_SUM_14_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_13_(z, __VA_ARGS__))
#define HATCH_SUM_15_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_14_(z, __VA_ARGS__))
#define HATCH_SUM_16_(z, x, ...)						      (HATCH_WEIGHT_(x) + HATCH_SUM_15_(z, __VA_ARGS__))

#endif
