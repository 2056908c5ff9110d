/* SPDX-License-Identifier: MIT */
/*
 * The table that insn_table.py writes, in memory, and the comparison with what was decoded. For
 * the tests of the instruction decoder only.
 */
#ifndef INSN_TABLE_H
#define INSN_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <hatch/insn.h>

struct insn_row {
	struct hatch_insn insn; /* what hatch_insn_decode() shall answer */
	uint64_t htinst;	/* the transformed form, 0 if there is none */
	uint8_t offset;		/* the address offset in it */
};

struct insn_table {
	struct insn_row *rows;
	size_t count;
};

/* Reads the table at `path`. Ends the program with a message if that cannot be done. */
struct insn_table insn_table_read(const char *path);

/* Fails the running test unless both agree in every field; `input` is what was decoded. */
void assert_same_insn(const struct hatch_insn *got, const struct hatch_insn *want, uint64_t input);

#endif
