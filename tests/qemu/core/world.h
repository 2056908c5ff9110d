/* SPDX-License-Identifier: MIT */
/*
 * The smallest world for a guest: RAM, one vcpu, a try; and guests of a few lines of assembly
 * beside the host's code that they test.
 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <hatch/abi.h>
#include <hatch/hatch.h>

#include "check.h"

#define WORLD_RAM      UINT64_C(0x80000000) /* where code begins, and where the guest starts */
#define WORLD_RAM_SIZE (UINT64_C(1) << 20)
#define WORLD_DATA     (WORLD_RAM + 0x80000) /* the half that code leaves free */
#define WORLD_DEVICE   UINT64_C(0x10000000)  /* not RAM */

#define WORLD_EID      0x08544553	  /* the tests' own extension */
#define WORLD_LATE     (-1000)		  /* status of a try that took too long */
#define WORLD_PATIENCE UINT64_C(20000000) /* ticks: 2 s */

/*
 * A guest's code as `name` to `name_end`. `quit` ends the guest with the status in a0; `ask`
 * calls WORLD_EID with the function given.
 */
#define GUEST(name, text)                                                                          \
	extern const uint8_t name[], name##_end[];                                                 \
	__asm__("	.pushsection .rodata." #name ", \"a\"\n"                                   \
		"	.option push\n"                                                                  \
		"	.option norelax\n"                                                               \
		"	.balign 8\n" #name ":\n" text "\n" #name "_end:\n"                         \
		"	.option pop\n"                                                                   \
		"	.popsection\n")

__asm__("	.macro quit\n"
	"	li a6, 0\n"
	"	li a7, 0x08484154\n"
	"	ecall\n"
	"	.endm\n"
	"	.macro ask function\n"
	"	li a6, \\function\n"
	"	li a7, 0x08544553\n"
	"	ecall\n"
	"	.endm\n");

struct world {
	struct hatch_guest guest;
	struct hatch_vcpu vcpu;
	struct hatch_try t;
	struct hatch_catch on_exit, on_late;
};

/* A guest that begins with the code. Ends itself by `quit`, or by the host's timer. */
void world_begin(struct world *w, const uint8_t *code, const uint8_t *end);
#define world_of(w, name) world_begin(w, name, name##_end)

/* The same without the two clauses. */
void world_bare(struct world *w, const uint8_t *code, const uint8_t *end);

void world_end(struct world *w);

/* Adds a clause to the try's own scope; the check fails when that is refused. */
void world_catch(struct world *w, struct hatch_catch *clause);

/* Puts the vcpu to the start of the code, with a new try without clauses but those two. */
void world_again(struct world *w, uint64_t a0, uint64_t a1);

/* Runs the try within WORLD_PATIENCE. */
enum hatch_outcome world_run(struct world *w);

/* Runs it and expects a guest that ends itself with this status. */
bool world_done(struct world *w, long status, int line);
#define expect_done(w, status) world_done(w, status, __LINE__)

/* Expects how the last run ended. */
bool world_ended(const struct world *w, enum hatch_outcome outcome, int line);
#define expect_outcome(w, outcome) world_ended(w, outcome, __LINE__)

/* Writes code or data into the guest, and makes it visible to instruction fetches. */
void world_write(struct world *w, uint64_t gpa, const void *from, size_t size);
uint64_t world_read(struct world *w, uint64_t gpa);

#endif
