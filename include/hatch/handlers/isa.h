/* SPDX-License-Identifier: MIT */
/*
 * Instructions that the CPU lacks, computed by catch: a program built for a newer profile runs on
 * an older CPU. Zba, Zbb, Zbs, Zicond, Zcb, and of Zfa what works on single and double precision.
 *
 * There are no atomics, and there will be none. An instruction that must happen at once cannot be
 * finished by several: other harts and devices would see the steps between, and no lock of ours
 * binds them. A guest that was told of Zacas or Zabha on a CPU without would be told a lie. So an
 * atomic that the CPU lacks is refused: the guest gets its illegal instruction, and the report says
 * which one it was.
 */
#ifndef HATCH_HANDLERS_ISA_H
#define HATCH_HANDLERS_ISA_H

#include <hatch/catch.h>

#define HATCH_EMULATOR_OPS  80 /* room for all of them */
#define HATCH_EMULATOR_LIST 48 /* bytes: room for the names of all extensions */
#define HATCH_ATOMIC_NAME   24 /* bytes: "amominu.w.aqrl" */

struct hatch_isa_op;

/* One instruction, its clause and how often the guest needed it, on all its harts. */
struct hatch_emulated {
	const char *extension; /* "zbb" */
	const char *name;      /* "andn" */
	uint64_t count;
	const struct hatch_isa_op *op;
	struct hatch_catch clause;
};

/* Atomics that the CPU lacks and that nobody makes up for. */
struct hatch_refused {
	uint64_t count;
	uint32_t encoding; /* of the first one */
	hatch_gva pc;	   /* where that stood */
	struct hatch_catch clause;
};

/*
 * The user owns it, in place: its clauses point into it. They may serve several harts at once:
 * counts go up atomically, without a lock. Report when the guest does not run.
 */
struct hatch_emulator {
	struct hatch_emulated op[HATCH_EMULATOR_OPS];
	unsigned int ops;
	struct hatch_refused atomic;
	char extensions[HATCH_EMULATOR_LIST]; /* those chosen, each once: "zbb,zbs" */
};

/*
 * Prepares clauses for the extensions in the list: names in lower case with commas between, such
 * as "zbb,zbs", or "all". One that the CPU has after all does no harm: its instructions never
 * trap.
 * Errors: HATCH_ENOENT (no extension of that name is known here: check the spelling),
 * HATCH_ENOTSUP (an atomic one: see above). The emulator is empty then.
 */
int hatch_emulator_init(struct hatch_emulator *emulator, const char *extensions);

/*
 * Adds all clauses to the scope, or none. From then on every illegal instruction of the guest
 * comes to the host first: put a clause around that hands back the others, such as unmapped.h.
 * Atomics (opcode AMO; Unprivileged ISA 20240411, chapters 13, 15 and 17) have a clause that hands
 * them back at once and counts them in `atomic`. To answer some after all, put a clause of your
 * own into a scope inside this one.
 * Errors: those of hatch_catch_add.
 */
int hatch_emulator_add(struct hatch_emulator *emulator, struct hatch_scope *scope);

/*
 * The report: which instruction cost the most. Each costs a trap and a few operations, so the
 * one that was needed most often did. Rank 0 comes first; NULL when no more were needed at all.
 */
const struct hatch_emulated *hatch_emulator_rank(const struct hatch_emulator *emulator,
						 unsigned int rank);

/* How many instructions were emulated. */
uint64_t hatch_emulator_total(const struct hatch_emulator *emulator);

/*
 * The report in one line without a newline: the first ranks, the total, and what was refused and
 * why. Always terminated; cut where `size` bytes end. Returns line.
 */
char *hatch_emulator_format(const struct hatch_emulator *emulator, char *line, size_t size);

/*
 * The name of an atomic, "lr.w" or "amocas.d.aq"; of an encoding that stands for none, "atomic".
 * Cut where `size` bytes end. Returns name.
 */
char *hatch_atomic_name(uint32_t encoding, char *name, size_t size);

#endif
