/* SPDX-License-Identifier: MIT */
/*
 * The instruction decoder. A 32-bit instruction is looked up by its major opcode, a compressed
 * one by its quadrant and funct3: no search, so that a guest cannot choose the instruction that
 * takes us longest.
 */
#include <hatch/insn.h>

/* Major opcodes: bits 6..0 of a 32-bit instruction. */
enum opcode {
	OPCODE_LOAD = 0x03,
	OPCODE_LOAD_FP = 0x07,
	OPCODE_STORE = 0x23,
	OPCODE_STORE_FP = 0x27,
	OPCODE_AMO = 0x2f,
	OPCODE_SYSTEM = 0x73,
};

enum {
	REG_SP = 2,
	FUNCT5_LR = 2,
	FUNCT5_SC = 3,
};

/* Bits `hi` down to `lo` of `raw`, moved so that the lowest of them stands at bit `to`. */
static uint32_t bits(uint32_t raw, unsigned int hi, unsigned int lo, unsigned int to)
{
	return (raw >> lo & ((1U << (hi - lo + 1)) - 1)) << to;
}

static bool bit(uint32_t raw, unsigned int number)
{
	return raw >> number & 1;
}

static enum opcode opcode_of(uint32_t raw)
{
	return bits(raw, 6, 0, 0);
}

static uint32_t funct3_of(uint32_t raw)
{
	return bits(raw, 14, 12, 0);
}

/* ---- 32-bit instructions ---- */

static void set_i_operands(struct hatch_insn *out)
{
	out->rd = bits(out->raw, 11, 7, 0);
	out->rs1 = bits(out->raw, 19, 15, 0);
	out->imm = (int32_t)out->raw >> 20;
}

static void set_s_operands(struct hatch_insn *out)
{
	out->rs1 = bits(out->raw, 19, 15, 0);
	out->rs2 = bits(out->raw, 24, 20, 0);
	out->imm = (int32_t)(out->raw & 0xfe000000) >> 20 | (int32_t)bits(out->raw, 11, 7, 0);
}

static void decode_load(struct hatch_insn *out)
{
	uint32_t funct3 = funct3_of(out->raw);

	if (funct3 == 7)
		return;
	out->cls = HATCH_INSN_LOAD;
	out->width = 1U << (funct3 & 3);
	out->is_signed = funct3 < 4;
	set_i_operands(out);
}

static void decode_store(struct hatch_insn *out)
{
	uint32_t funct3 = funct3_of(out->raw);

	if (funct3 > 3)
		return;
	out->cls = HATCH_INSN_STORE;
	out->width = 1U << funct3;
	set_s_operands(out);
}

/* The values of funct3 left out belong to quad precision and to vectors. */
static void decode_fp(struct hatch_insn *out)
{
	uint32_t funct3 = funct3_of(out->raw);

	out->cls = HATCH_INSN_OTHER;
	if (funct3 < 1 || funct3 > 3)
		return;
	out->width = 1U << funct3;
	if (opcode_of(out->raw) == OPCODE_LOAD_FP) {
		out->cls = HATCH_INSN_FLOAD;
		set_i_operands(out);
	} else {
		out->cls = HATCH_INSN_FSTORE;
		set_s_operands(out);
	}
}

/* OTHER for what later extensions put beside the A extension (compare-and-swap, bytes, ...). */
static enum hatch_insn_class amo_class(uint32_t funct5, uint32_t rs2)
{
	switch (funct5) {
	case FUNCT5_LR:
		return rs2 == 0 ? HATCH_INSN_LR : HATCH_INSN_UNKNOWN;
	case FUNCT5_SC:
		return HATCH_INSN_SC;
	case HATCH_INSN_AMO_ADD:
	case HATCH_INSN_AMO_SWAP:
	case HATCH_INSN_AMO_XOR:
	case HATCH_INSN_AMO_OR:
	case HATCH_INSN_AMO_AND:
	case HATCH_INSN_AMO_MIN:
	case HATCH_INSN_AMO_MAX:
	case HATCH_INSN_AMO_MINU:
	case HATCH_INSN_AMO_MAXU:
		return HATCH_INSN_AMO;
	default:
		return HATCH_INSN_OTHER;
	}
}

static void decode_amo(struct hatch_insn *out)
{
	uint32_t funct3 = funct3_of(out->raw);
	uint32_t funct5 = bits(out->raw, 31, 27, 0);
	uint32_t rs2 = bits(out->raw, 24, 20, 0);

	out->cls = HATCH_INSN_OTHER;
	if (funct3 == 2 || funct3 == 3)
		out->cls = amo_class(funct5, rs2);
	if (out->cls == HATCH_INSN_OTHER || out->cls == HATCH_INSN_UNKNOWN)
		return;
	out->width = 1U << funct3;
	out->is_signed = out->cls != HATCH_INSN_SC; /* sc's rd tells success, not memory */
	out->amo_op = out->cls == HATCH_INSN_AMO ? funct5 : 0;
	out->rd = bits(out->raw, 11, 7, 0);
	out->rs1 = bits(out->raw, 19, 15, 0);
	out->rs2 = rs2;
	out->aq = bit(out->raw, 26);
	out->rl = bit(out->raw, 25);
}

static void decode_system(struct hatch_insn *out)
{
	uint32_t funct3 = funct3_of(out->raw);
	uint8_t source = bits(out->raw, 19, 15, 0);

	out->cls = HATCH_INSN_OTHER;
	if ((funct3 & 3) == 0)
		return;
	out->cls = HATCH_INSN_CSR;
	out->csr_op = funct3 & 3;
	out->csr_immediate = funct3 & 4;
	out->csr = out->raw >> 20;
	out->rd = bits(out->raw, 11, 7, 0);
	out->rs1 = out->csr_immediate ? 0 : source;
	out->uimm = out->csr_immediate ? source : 0;
}

static void decode_standard(struct hatch_insn *out)
{
	switch (opcode_of(out->raw)) {
	case OPCODE_LOAD:
		decode_load(out);
		break;
	case OPCODE_STORE:
		decode_store(out);
		break;
	case OPCODE_LOAD_FP:
	case OPCODE_STORE_FP:
		decode_fp(out);
		break;
	case OPCODE_AMO:
		decode_amo(out);
		break;
	case OPCODE_SYSTEM:
		decode_system(out);
		break;
	default:
		out->cls = HATCH_INSN_OTHER;
	}
}

/* ---- Compressed instructions ---- */

/* Encodings that RV64, with Zcb and Zcmop, leaves reserved. */
static const struct {
	uint16_t mask, match;
} reserved[] = {
	{ 0xffe3, 0x0000 }, /* c.addi4spn without an immediate; all zero: illegal for ever */
	{ 0xf003, 0x9000 }, /* beyond Zcb's loads and stores */
	{ 0xfc43, 0x8c40 }, /* beside c.sh */
	{ 0xef83, 0x2001 }, /* c.addiw x0 */
	{ 0xf0ff, 0x6001 }, /* c.lui, c.addi16sp without an immediate, even registers */
	{ 0xf8ff, 0x6881 }, /* the same from x17 on: the odd ones below are c.mop.1 to c.mop.15 */
	{ 0xfc7b, 0x9c79 }, /* beyond Zcb's one-register instructions */
	{ 0xef83, 0x4002 }, /* c.lwsp x0 */
	{ 0xef83, 0x6002 }, /* c.ldsp x0 */
	{ 0xffff, 0x8002 }, /* c.jr x0 */
};

/* By funct3; quadrant 0 (register + offset) and quadrant 2 (sp + offset) agree. */
static const struct {
	uint8_t cls, width;
} compressed_access[8] = {
	[1] = { HATCH_INSN_FLOAD, 8 }, [2] = { HATCH_INSN_LOAD, 4 },
	[3] = { HATCH_INSN_LOAD, 8 },  [5] = { HATCH_INSN_FSTORE, 8 },
	[6] = { HATCH_INSN_STORE, 4 }, [7] = { HATCH_INSN_STORE, 8 },
};

static bool is_reserved(uint32_t raw)
{
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if ((raw & reserved[i].mask) == reserved[i].match)
			return true;
	}
	return false;
}

static bool is_load(const struct hatch_insn *insn)
{
	return insn->cls == HATCH_INSN_LOAD || insn->cls == HATCH_INSN_FLOAD;
}

/* One register field serves both directions: what a load fills, a store reads. */
static void set_data_register(struct hatch_insn *out, uint8_t reg)
{
	if (is_load(out))
		out->rd = reg;
	else
		out->rs2 = reg;
}

/* Quadrant 0: three-bit fields name x8 to x15, or f8 to f15. */
static void set_short_registers(struct hatch_insn *out)
{
	out->rs1 = 8 + bits(out->raw, 9, 7, 0);
	set_data_register(out, 8 + bits(out->raw, 4, 2, 0));
}

static void set_offset_operands(struct hatch_insn *out)
{
	uint32_t raw = out->raw;

	set_short_registers(out);
	out->imm = bits(raw, 12, 10, 3);
	if (out->width == 4)
		out->imm |= bits(raw, 6, 6, 2) | bits(raw, 5, 5, 6);
	else
		out->imm |= bits(raw, 6, 5, 6);
}

static void set_sp_load_operands(struct hatch_insn *out)
{
	uint32_t raw = out->raw;

	out->rs1 = REG_SP;
	out->rd = bits(raw, 11, 7, 0);
	out->imm = bits(raw, 12, 12, 5);
	if (out->width == 4)
		out->imm |= bits(raw, 6, 4, 2) | bits(raw, 3, 2, 6);
	else
		out->imm |= bits(raw, 6, 5, 3) | bits(raw, 4, 2, 6);
}

static void set_sp_store_operands(struct hatch_insn *out)
{
	uint32_t raw = out->raw;

	out->rs1 = REG_SP;
	out->rs2 = bits(raw, 6, 2, 0);
	if (out->width == 4)
		out->imm = bits(raw, 12, 9, 2) | bits(raw, 8, 7, 6);
	else
		out->imm = bits(raw, 12, 10, 3) | bits(raw, 9, 7, 6);
}

/* Zcb: bit 11 tells a store, bit 10 a halfword, bit 6 c.lh from c.lhu or a byte's address bit 0. */
static void decode_byte_or_half(struct hatch_insn *out)
{
	uint32_t raw = out->raw;
	bool half = bit(raw, 10);

	out->cls = bit(raw, 11) ? HATCH_INSN_STORE : HATCH_INSN_LOAD;
	out->width = half ? 2 : 1;
	out->is_signed = half && bit(raw, 6) && is_load(out);
	set_short_registers(out);
	out->imm = bits(raw, 5, 5, 1) | (half ? 0 : bits(raw, 6, 6, 0));
}

static void decode_compressed(struct hatch_insn *out)
{
	uint32_t quadrant = bits(out->raw, 1, 0, 0);
	uint32_t funct3 = bits(out->raw, 15, 13, 0);

	if (is_reserved(out->raw))
		return;
	if (quadrant == 0 && funct3 == 4) {
		decode_byte_or_half(out);
		return;
	}
	out->cls = HATCH_INSN_OTHER;
	if (quadrant == 1 || compressed_access[funct3].cls == 0)
		return;
	out->cls = compressed_access[funct3].cls;
	out->width = compressed_access[funct3].width;
	out->is_signed = out->cls == HATCH_INSN_LOAD;
	if (quadrant == 0)
		set_offset_operands(out);
	else if (is_load(out))
		set_sp_load_operands(out);
	else
		set_sp_store_operands(out);
}

/* ---- Entry points ---- */

bool hatch_insn_decode(uint32_t raw, struct hatch_insn *out)
{
	unsigned int length = hatch_insn_length(raw);

	*out = (struct hatch_insn){
		.raw = length == 2 ? raw & 0xffff : raw,
		.length = length,
	};
	if (length == 2)
		decode_compressed(out);
	else if (length == 4)
		decode_standard(out);
	return out->cls != HATCH_INSN_UNKNOWN;
}

static bool is_memory_access(const struct hatch_insn *insn)
{
	return insn->cls >= HATCH_INSN_LOAD && insn->cls <= HATCH_INSN_SC;
}

/*
 * A transformed instruction is a 32-bit one, without its immediate, and with the address offset
 * in the place of rs1. Bit 1, always set in a 32-bit instruction, is free to tell the length of
 * the original. A nonzero immediate is therefore nothing that the specification describes.
 */
bool hatch_insn_decode_htinst(uint64_t htinst, struct hatch_insn *out)
{
	bool plausible = htinst <= UINT32_MAX && (htinst & 1);

	if (!plausible || !hatch_insn_decode((uint32_t)htinst | 2, out) || !is_memory_access(out) ||
	    out->imm != 0) {
		*out = (struct hatch_insn){ 0 };
		return false;
	}
	out->length = hatch_htinst_length(htinst);
	out->offset = out->rs1;
	out->rs1 = 0;
	return true;
}

uint64_t hatch_insn_transform(const struct hatch_insn *insn)
{
	static const uint8_t size_of[9] = { [1] = 0, [2] = 1, [4] = 2, [8] = 3 };
	uint64_t size = (uint64_t)size_of[insn->width] << 12;
	uint64_t long_form = insn->length == 4 ? 2 : 0;

	if (insn->cls == HATCH_INSN_LOAD)
		return 0x01 | long_form | (uint64_t)insn->rd << 7 | size |
		       (insn->is_signed ? 0 : 0x4000);
	if (insn->cls == HATCH_INSN_STORE)
		return 0x21 | long_form | (uint64_t)insn->rs2 << 20 | size;
	return 0;
}
