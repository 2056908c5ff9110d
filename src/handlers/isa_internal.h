/* SPDX-License-Identifier: MIT */
/* What the tables of missing instructions share. */
#ifndef HATCH_HANDLERS_ISA_INTERNAL_H
#define HATCH_HANDLERS_ISA_INTERNAL_H

#include <hatch/handlers/isa.h>

/* The operands of a floating-point computation, and the flags that it raises. */
struct hatch_isa_fp {
	const struct hatch_isa_format *format;
	uint64_t a, b;	       /* without the box */
	unsigned int rounding; /* of fcsr.frm */
	unsigned int flags;    /* of fcsr.fflags */
};

/*
 * One instruction: its pattern, what finds its operands and places its result, and what computes
 * that. All constant: shared by all harts.
 */
struct hatch_isa_op {
	const char *name;
	uint32_t mask, match;
	enum hatch_verdict (*emulate)(const struct hatch_isa_op *op, uint32_t insn,
				      struct hatch_cont *k);
	uint64_t (*integer)(uint64_t a, uint64_t b);
	uint64_t (*fp)(struct hatch_isa_fp *x);
};

struct hatch_isa_table {
	const char *extension;
	const struct hatch_isa_op *op;
	unsigned int ops;
};

#define HATCH_ISA_TABLE(extension_, ops_)                                                          \
	{                                                                                          \
		.extension = (extension_), .op = (ops_), .ops = sizeof(ops_) / sizeof((ops_)[0])   \
	}

extern const struct hatch_isa_table hatch_isa_zba, hatch_isa_zbb, hatch_isa_zbs, hatch_isa_zicond,
	hatch_isa_zcb, hatch_isa_zfa;

/* Fields of a 32-bit instruction. */
static inline unsigned int hatch_isa_rd(uint32_t insn)
{
	return insn >> 7 & 31;
}

static inline unsigned int hatch_isa_rs1(uint32_t insn)
{
	return insn >> 15 & 31;
}

static inline unsigned int hatch_isa_rs2(uint32_t insn)
{
	return insn >> 20 & 31;
}

/* A guest register. Of an illegal instruction all are saved: reading one cannot fail. */
static inline uint64_t hatch_isa_x(const struct hatch_cont *k, unsigned int n)
{
	uint64_t value = 0;

	hatch_cont_get(k, n, &value);
	return value;
}

static inline uint64_t hatch_isa_word(uint64_t value)
{
	return hatch_insn_extend(value, 4, true);
}

/* rd = integer(rs1, rs2); rd = integer(rs1, immediate of six bits). (isa.c) */
enum hatch_verdict hatch_isa_registers(const struct hatch_isa_op *op, uint32_t insn,
				       struct hatch_cont *k);
enum hatch_verdict hatch_isa_immediate(const struct hatch_isa_op *op, uint32_t insn,
				       struct hatch_cont *k);

/*
 * The patterns of the base formats: funct7, funct3 and opcode are fixed; with an immediate of six
 * bits funct6; with one operand all but the registers.
 */
#define HATCH_ISA_R(name_, funct7, funct3, opcode, compute)                                        \
	{                                                                                          \
		.name = (name_), .mask = 0xfe00707f,                                               \
		.match = (uint32_t)(funct7) << 25 | (funct3) << 12 | (opcode),                     \
		.emulate = hatch_isa_registers, .integer = (compute)                               \
	}

#define HATCH_ISA_I6(name_, funct6, funct3, opcode, compute)                                       \
	{                                                                                          \
		.name = (name_), .mask = 0xfc00707f,                                               \
		.match = (uint32_t)(funct6) << 26 | (funct3) << 12 | (opcode),                     \
		.emulate = hatch_isa_immediate, .integer = (compute)                               \
	}

#define HATCH_ISA_I5(name_, funct7, funct3, opcode, compute)                                       \
	{                                                                                          \
		.name = (name_), .mask = 0xfe00707f,                                               \
		.match = (uint32_t)(funct7) << 25 | (funct3) << 12 | (opcode),                     \
		.emulate = hatch_isa_immediate, .integer = (compute)                               \
	}

#define HATCH_ISA_1(name_, funct12, funct3, opcode, compute)                                       \
	{                                                                                          \
		.name = (name_), .mask = 0xfff0707f,                                               \
		.match = (uint32_t)(funct12) << 20 | (funct3) << 12 | (opcode),                    \
		.emulate = hatch_isa_registers, .integer = (compute)                               \
	}

enum hatch_isa_opcode {
	HATCH_ISA_OP_IMM = 0x13,
	HATCH_ISA_OP_IMM_32 = 0x1b,
	HATCH_ISA_OP = 0x33,
	HATCH_ISA_OP_32 = 0x3b,
	HATCH_ISA_AMO = 0x2f,
};

#endif
