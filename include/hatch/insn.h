/* SPDX-License-Identifier: MIT */
/*
 * The instruction decoder: what a trapped guest instruction wanted to do.
 *
 * A trap tells where the guest touched memory, not which register waits for the value. That is
 * in the instruction, which reaches us in one of two forms:
 *
 *  - as the guest wrote it, fetched from its memory: hatch_insn_decode();
 *  - as the hardware rewrote it into htinst ("transformed"): hatch_insn_decode_htinst(), or the
 *    inline hatch_htinst_* functions when a plain load or store has to be answered quickly.
 *
 * Pure C without state: it reads no CSR and no memory, and compiles for any machine. Every
 * function is total: any value, however malicious its author, gives a defined answer, and what
 * is not certain is answered HATCH_INSN_UNKNOWN or false.
 */
#ifndef HATCH_INSN_H
#define HATCH_INSN_H

#include <stdbool.h>
#include <stdint.h>

enum hatch_insn_class {
	HATCH_INSN_UNKNOWN = 0, /* reserved, the all-zero illegal instruction, or over 32 bits */
	HATCH_INSN_LOAD,	/* rd = memory[rs1 + imm] */
	HATCH_INSN_STORE,	/* memory[rs1 + imm] = rs2 */
	HATCH_INSN_FLOAD,	/* as LOAD, rd names an f register */
	HATCH_INSN_FSTORE,	/* as STORE, rs2 names an f register */
	HATCH_INSN_AMO,		/* rd = memory[rs1]; memory[rs1] = rd amo_op rs2 */
	HATCH_INSN_LR,		/* rd = memory[rs1], with a reservation */
	HATCH_INSN_SC,		/* memory[rs1] = rs2 if reserved; rd = 0 on success */
	HATCH_INSN_CSR,		/* rd = csr; csr = csr csr_op (rs1 or uimm) */
	HATCH_INSN_OTHER,	/* none of the above: only the length is known */
};

/* The low two bits of funct3 in the six Zicsr instructions. */
enum hatch_insn_csr_op {
	HATCH_INSN_CSR_RW = 1,
	HATCH_INSN_CSR_RS = 2,
	HATCH_INSN_CSR_RC = 3,
};

/* The funct5 field of the AMO instructions. */
enum hatch_insn_amo_op {
	HATCH_INSN_AMO_ADD = 0,
	HATCH_INSN_AMO_SWAP = 1,
	HATCH_INSN_AMO_XOR = 4,
	HATCH_INSN_AMO_OR = 8,
	HATCH_INSN_AMO_AND = 12,
	HATCH_INSN_AMO_MIN = 16,
	HATCH_INSN_AMO_MAX = 20,
	HATCH_INSN_AMO_MINU = 24,
	HATCH_INSN_AMO_MAXU = 28,
};

/*
 * One decoded instruction. A field that the class does not have is 0, and so is every field but
 * raw and length when the class is UNKNOWN or OTHER. Compressed instructions are described as the
 * instruction that they abbreviate: rs1 is 2 for the sp forms, imm is in bytes.
 */
struct hatch_insn {
	uint32_t raw;	/* a 16-bit parcel stands zero-extended */
	int32_t imm;	/* bytes, loads and stores only */
	uint16_t csr;	/* CSR number */
	uint8_t length; /* bytes: 2 or 4; 0 when the encoding is longer than 32 bits */
	uint8_t cls;	/* enum hatch_insn_class */
	uint8_t width;	/* bytes moved: 1, 2, 4 or 8 */
	uint8_t rd;
	uint8_t rs1;
	uint8_t rs2;
	uint8_t amo_op;	    /* enum hatch_insn_amo_op */
	uint8_t csr_op;	    /* enum hatch_insn_csr_op */
	uint8_t uimm;	    /* CSR immediate forms: the operand, in the place of rs1 */
	uint8_t offset;	    /* htinst only: bytes from the access's start to the faulting byte */
	bool is_signed;	    /* LOAD, AMO and LR: rd is sign-extended from width */
	bool csr_immediate; /* CSR: the operand is uimm, not rs1 */
	bool aq;
	bool rl;
};

/*
 * Decodes an instruction as it stands in guest memory; of a compressed one the upper 16 bits of
 * `raw` are ignored. Fills *out in every case.
 *
 * Knows the loads and stores of RV64GC, Zcb and Zfh, the A extension and Zicsr. The length is set
 * whenever the encoding tells it, so that a reserved instruction (UNKNOWN) can still be skipped.
 * Returns false when the class is UNKNOWN: inject an illegal-instruction exception, or end the
 * try. (Unprivileged ISA 20240411, 1.5 and the chapters of these extensions)
 */
bool hatch_insn_decode(uint32_t raw, struct hatch_insn *out);

/*
 * Decodes the transformed instruction that a trap left in htinst. Fills *out in every case, with
 * zeros when the answer is false.
 *
 * The transformation drops the immediate and overwrites rs1 with the address offset: `raw` is
 * htinst with bit 1 set, rs1 and imm are 0, `offset` tells the rest. Returns false when htinst is
 * a pseudoinstruction (no instruction to emulate, see hatch_htinst_is_pseudo()), or when it is 0,
 * custom or anything but a load, store or atomic known here: then fetch the instruction from the
 * guest and use hatch_insn_decode(). (Privileged ISA 20240411, 18.6.3)
 */
bool hatch_insn_decode_htinst(uint64_t htinst, struct hatch_insn *out);

/*
 * hatch_insn_transform - the transformed form of a plain integer load or store
 * @insn: as hatch_insn_decode() filled it
 *
 * What hardware that fills htinst would have left there for an access at its very address; 0 for
 * every other class. (Privileged ISA 20240411, 18.6.3)
 */
uint64_t hatch_insn_transform(const struct hatch_insn *insn);

/*
 * Bytes of the instruction that begins with the 16-bit parcel `raw` (higher bits may be set):
 * 2 or 4, or 0 for the longer encodings, none of which is ratified.
 */
static inline unsigned int hatch_insn_length(uint32_t raw)
{
	if ((raw & 0x3) != 0x3)
		return 2;
	return (raw & 0x1c) != 0x1c ? 4 : 0;
}

/*
 * The low `width` bytes (1, 2, 4 or 8) of `value` as a load leaves them in rd. Relies on the right
 * shift of a negative number being arithmetic, as every compiler for RISC-V has it.
 */
static inline uint64_t hatch_insn_extend(uint64_t value, unsigned int width, bool is_signed)
{
	unsigned int spare = (64 - 8 * width) & 63;

	value <<= spare;
	return is_signed ? (uint64_t)((int64_t)value >> spare) : value >> spare;
}

/*
 * Does a CSR instruction read, does it write its CSR? What it does not do has no side effect and
 * needs no permission. Told by the register's number, not by its value. (Unprivileged ISA
 * 20240411, "Zicsr", conditions determining whether a CSR instruction reads or writes)
 */
static inline bool hatch_insn_reads_csr(const struct hatch_insn *insn)
{
	return insn->csr_op != HATCH_INSN_CSR_RW || insn->rd != 0;
}

static inline bool hatch_insn_writes_csr(const struct hatch_insn *insn)
{
	return insn->csr_op == HATCH_INSN_CSR_RW || insn->rs1 != 0 || insn->uimm != 0;
}

/*
 * Is htinst a plain integer load? One comparison covers the opcode, the bits that the
 * transformation clears and the upper half of the CSR; funct3 = 7 is reserved. After a true
 * answer the getters below are valid, and nothing else needs decoding.
 */
static inline bool hatch_htinst_is_load(uint64_t htinst)
{
	return (htinst & ~UINT64_C(0x000fff82)) == 0x01 && (htinst & 0x7000) != 0x7000;
}

/* Is htinst a plain integer store? As above, with funct3 from 0 to 3. */
static inline bool hatch_htinst_is_store(uint64_t htinst)
{
	return (htinst & ~UINT64_C(0x01ffb002)) == 0x21;
}

/* Bytes of the instruction in guest memory: hardware clears bit 1 if it was compressed. */
static inline unsigned int hatch_htinst_length(uint64_t htinst)
{
	return 2 + (unsigned int)(htinst & 0x2);
}

/* Bytes that the load or store moves. */
static inline unsigned int hatch_htinst_width(uint64_t htinst)
{
	return 1U << (htinst >> 12 & 0x3);
}

/* Does the load sign-extend? */
static inline bool hatch_htinst_is_signed(uint64_t htinst)
{
	return !(htinst & 0x4000);
}

/* The register that a load fills. */
static inline unsigned int hatch_htinst_rd(uint64_t htinst)
{
	return htinst >> 7 & 0x1f;
}

/* The register that a store reads. */
static inline unsigned int hatch_htinst_rs2(uint64_t htinst)
{
	return htinst >> 20 & 0x1f;
}

/* Bytes from the start of the access to the address that faulted; nonzero only if misaligned. */
static inline unsigned int hatch_htinst_offset(uint64_t htinst)
{
	return htinst >> 15 & 0x1f;
}

/*
 * Is htinst a pseudoinstruction: did the hardware's own walk of the guest's page table fault,
 * with no guest instruction to emulate? 0x2000 and 0x2020 stand for 32-bit page-table entries
 * (SXLEN = 32), 0x3000 and 0x3020 for 64-bit ones. (Privileged ISA 20240411, 18.6.3)
 */
static inline bool hatch_htinst_is_pseudo(uint64_t htinst)
{
	return (htinst & ~UINT64_C(0x1020)) == 0x2000;
}

/* Did that walk want to write (an A or D bit)? Then the page-table page must become writable. */
static inline bool hatch_htinst_pseudo_is_write(uint64_t htinst)
{
	return htinst & 0x20;
}

#endif
