/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "insn_table.h"

/* A word of the table and the enumerator that it stands for. */
struct name {
	const char *word;
	uint8_t value;
};

static const struct name class_names[] = {
	{ "unknown", HATCH_INSN_UNKNOWN },
	{ "load", HATCH_INSN_LOAD },
	{ "store", HATCH_INSN_STORE },
	{ "fload", HATCH_INSN_FLOAD },
	{ "fstore", HATCH_INSN_FSTORE },
	{ "amo", HATCH_INSN_AMO },
	{ "lr", HATCH_INSN_LR },
	{ "sc", HATCH_INSN_SC },
	{ "csr", HATCH_INSN_CSR },
	{ "other", HATCH_INSN_OTHER },
	{ NULL, 0 },
};

static const struct name amo_names[] = {
	{ "add", HATCH_INSN_AMO_ADD },	 { "swap", HATCH_INSN_AMO_SWAP },
	{ "xor", HATCH_INSN_AMO_XOR },	 { "or", HATCH_INSN_AMO_OR },
	{ "and", HATCH_INSN_AMO_AND },	 { "min", HATCH_INSN_AMO_MIN },
	{ "max", HATCH_INSN_AMO_MAX },	 { "minu", HATCH_INSN_AMO_MINU },
	{ "maxu", HATCH_INSN_AMO_MAXU }, { NULL, 0 },
};

static const struct name csr_names[] = {
	{ "rw", HATCH_INSN_CSR_RW },
	{ "rs", HATCH_INSN_CSR_RS },
	{ "rc", HATCH_INSN_CSR_RC },
	{ NULL, 0 },
};

static bool find_value(const struct name *names, const char *word, uint8_t *value)
{
	for (; names->word; names++) {
		if (!strcmp(names->word, word)) {
			*value = names->value;
			return true;
		}
	}
	return false;
}

static bool parse_names(const char *cls, const char *op, struct hatch_insn *insn)
{
	if (!find_value(class_names, cls, &insn->cls))
		return false;
	if (insn->cls == HATCH_INSN_AMO)
		return find_value(amo_names, op, &insn->amo_op);
	if (insn->cls == HATCH_INSN_CSR)
		return find_value(csr_names, op, &insn->csr_op);
	return !strcmp(op, "none");
}

/* The columns, in this order, are COLUMNS of insn_table.py. */
static bool parse_row(const char *line, struct insn_row *row)
{
	struct hatch_insn *insn = &row->insn;
	unsigned int is_signed, csr_immediate, aq, rl, htinst;
	char cls[16], op[16];
	int found;

	memset(row, 0, sizeof(*row));
	found = sscanf(line,
		       "%x %hhu %15s %15s %hhu %u %hhu %hhu %hhu %d %hu %u %hhu %u %u %x %hhu",
		       &insn->raw, &insn->length, cls, op, &insn->width, &is_signed, &insn->rd,
		       &insn->rs1, &insn->rs2, &insn->imm, &insn->csr, &csr_immediate, &insn->uimm,
		       &aq, &rl, &htinst, &row->offset);
	if (found != 17)
		return false;
	insn->is_signed = is_signed;
	insn->csr_immediate = csr_immediate;
	insn->aq = aq;
	insn->rl = rl;
	row->htinst = htinst;
	return parse_names(cls, op, insn);
}

static void append_row(struct insn_table *table, const struct insn_row *row, size_t *capacity)
{
	if (table->count == *capacity) {
		*capacity = *capacity ? 2 * *capacity : 4096;
		table->rows = realloc(table->rows, *capacity * sizeof(*row));
		if (!table->rows) {
			fprintf(stderr, "insn_table: no memory for %zu rows; free some\n",
				*capacity);
			exit(1);
		}
	}
	table->rows[table->count++] = *row;
}

static FILE *open_table(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file) {
		fprintf(stderr, "insn_table: cannot open %s: %s; make it with insn_table.py\n",
			path, strerror(errno));
		exit(1);
	}
	return file;
}

struct insn_table insn_table_read(const char *path)
{
	struct insn_table table = { NULL, 0 };
	FILE *file = open_table(path);
	struct insn_row row;
	size_t capacity = 0;
	char line[256];

	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (!parse_row(line, &row)) {
			fprintf(stderr, "insn_table: %s: cannot read the row %s", path, line);
			fprintf(stderr, "make the table again with the insn_table.py beside me\n");
			exit(1);
		}
		append_row(&table, &row, &capacity);
	}
	fclose(file);
	return table;
}

#define assert_same(got, want, input, field)                                                       \
	do {                                                                                       \
		if ((got)->field != (want)->field)                                                 \
			fail_msg("%#llx: " #field " is %d, the table says %d",                     \
				 (unsigned long long)(input), (int)(got)->field,                   \
				 (int)(want)->field);                                              \
	} while (0)

void assert_same_insn(const struct hatch_insn *got, const struct hatch_insn *want, uint64_t input)
{
	assert_same(got, want, input, cls);
	assert_same(got, want, input, raw);
	assert_same(got, want, input, length);
	assert_same(got, want, input, width);
	assert_same(got, want, input, is_signed);
	assert_same(got, want, input, rd);
	assert_same(got, want, input, rs1);
	assert_same(got, want, input, rs2);
	assert_same(got, want, input, imm);
	assert_same(got, want, input, csr);
	assert_same(got, want, input, csr_op);
	assert_same(got, want, input, csr_immediate);
	assert_same(got, want, input, uimm);
	assert_same(got, want, input, amo_op);
	assert_same(got, want, input, aq);
	assert_same(got, want, input, rl);
	assert_same(got, want, input, offset);
}
