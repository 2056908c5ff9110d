/* SPDX-License-Identifier: MIT */
/* The event that waits for its answer, in a snapshot. */
#include <hatch/csr.h>
#include "snapshot.h"

void hatch_snapshot_pack(struct snapshot_event *to, const struct hatch_event *from, uint64_t tval)
{
	uint64_t *word = to->word;

	*to = (struct snapshot_event){ .kind = from->kind, .length = from->length, .tval = tval };
	switch (from->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		word[0] = from->hypercall.extension;
		word[1] = from->hypercall.function;
		break; /* the arguments are in the registers */
	case HATCH_MMIO:
		word[0] = from->mmio.gpa.addr;
		word[1] = from->mmio.offset;
		word[2] = from->mmio.value;
		word[3] = from->mmio.shape;
		word[4] = from->mmio.rd;
		break;
	case HATCH_PAGE:
		word[0] = from->page.gpa.addr;
		word[1] = from->page.access;
		word[2] = from->page.walk;
		word[3] = from->page.write;
		break;
	case HATCH_ILLEGAL:
		word[0] = from->illegal.encoding;
		break;
	case HATCH_CSR:
		word[0] = from->csr.number;
		word[1] = from->csr.read;
		word[2] = from->csr.write;
		word[3] = from->csr.op;
		word[4] = from->csr.operand;
		word[5] = from->csr.rd;
		break;
	case HATCH_FAULT:
		word[0] = from->fault.cause;
		word[1] = from->fault.tval;
		word[2] = from->fault.gpa.addr;
		break;
	case HATCH_INTERRUPT:
		word[0] = from->interrupt.irq;
		break;
	case HATCH_DEADLINE:
		word[0] = from->deadline.ticks;
		break;
	default:
		break;
	}
}

static bool unpack_mmio(struct hatch_event *to, const uint64_t word[6])
{
	static const uint32_t one_bit_each = 0x01010100; /* above the width: write, sign, fp */
	unsigned int width = word[3] & 0xff;

	if (word[3] & ~(uint64_t)(one_bit_each | 0xff) || word[4] > 31)
		return false;
	to->mmio.gpa = hatch_gpa_of(word[0]);
	to->mmio.offset = word[1];
	to->mmio.value = word[2];
	to->mmio.shape = (uint32_t)word[3];
	to->mmio.rd = (uint8_t)word[4];
	return width == 1 || width == 2 || width == 4 || width == 8;
}

static bool unpack_page(struct hatch_event *to, const uint64_t word[6])
{
	to->page.gpa = hatch_gpa_of(word[0]);
	to->page.access = (enum hatch_access)(word[1] & 3);
	to->page.walk = word[2];
	to->page.write = word[3];
	return word[1] <= HATCH_FETCH && word[2] <= 1 && word[3] <= 1;
}

static bool unpack_csr(struct hatch_event *to, const uint64_t word[6])
{
	to->csr.number = (uint16_t)word[0];
	to->csr.read = word[1];
	to->csr.write = word[2];
	to->csr.op = (enum hatch_insn_csr_op)(word[3] & 3);
	to->csr.operand = word[4];
	to->csr.rd = (uint8_t)word[5];
	return word[0] < 4096 && word[1] <= 1 && word[2] <= 1 && word[3] <= 3 && word[5] < 32;
}

static bool unpack(struct hatch_event *to, const uint64_t word[6])
{
	switch (to->kind) {
	case HATCH_MMIO:
		return unpack_mmio(to, word);
	case HATCH_PAGE:
		return unpack_page(to, word);
	case HATCH_CSR:
		return unpack_csr(to, word);
	case HATCH_ILLEGAL:
		to->illegal.encoding = (uint32_t)word[0];
		return word[0] <= UINT32_MAX;
	case HATCH_FAULT:
		to->fault.cause = word[0];
		to->fault.tval = word[1];
		to->fault.gpa = hatch_gpa_of(word[2]);
		return true;
	case HATCH_INTERRUPT:
		to->interrupt.irq = word[0] & 63;
		return word[0] <= 63;
	case HATCH_DEADLINE:
		to->deadline.ticks = word[0];
		return true;
	default:
		return true;
	}
}

int hatch_snapshot_unpack(struct hatch_event *to, const struct snapshot_event *from,
			  const struct hatch_vcpu *vcpu)
{
	bool length = from->length == 0 || from->length == 2 || from->length == 4;

	if (from->kind >= HATCH_KINDS || !length)
		return HATCH_EFORMAT;
	*to = (struct hatch_event){ .kind = (enum hatch_kind)from->kind,
				    .length = (uint8_t)from->length };
	if (to->kind == HATCH_HYPERCALL || to->kind == HATCH_SYSCALL) {
		to->hypercall.extension = from->word[0];
		to->hypercall.function = from->word[1];
		to->hypercall.arg = &vcpu->frame.x[10];
		return 0;
	}
	return unpack(to, from->word) ? 0 : HATCH_EFORMAT;
}
