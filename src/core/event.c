/* SPDX-License-Identifier: MIT */
/*
 * From the registers of a trap to a typed event. Pure: unit-tested natively.
 */
#include <hatch/csr.h>
#include <hatch/event.h>

#define INSN_WFI     0x10500073U
#define INSN_WRS_NTO 0x00d00073U /* Zawrs: hstatus.VTW holds for it as well */

static bool is_guest_page_fault(uint64_t cause)
{
	return cause == CAUSE_LOAD_GUEST_PAGE_FAULT || cause == CAUSE_STORE_GUEST_PAGE_FAULT ||
	       cause == CAUSE_FETCH_GUEST_PAGE_FAULT;
}

static bool has_encoding_in_stval(uint64_t cause)
{
	return cause == CAUSE_ILLEGAL_INSTRUCTION || cause == CAUSE_VIRTUAL_INSTRUCTION;
}

/* Causes whose trap happened before there was an instruction to read. */
static bool is_fetch(uint64_t cause)
{
	return cause == CAUSE_FETCH_MISALIGNED || cause == CAUSE_FETCH_ACCESS ||
	       cause == CAUSE_FETCH_PAGE_FAULT || cause == CAUSE_FETCH_GUEST_PAGE_FAULT;
}

bool hatch_event_needs_fetch(const struct hatch_trap *trap, const struct hatch_vcpu *vcpu)
{
	struct hatch_insn insn;

	(void)vcpu;
	if ((trap->scause & CAUSE_INTERRUPT) || is_fetch(trap->scause) ||
	    trap->scause == CAUSE_VIRTUAL_ECALL || trap->scause == CAUSE_USER_ECALL)
		return false;
	if (has_encoding_in_stval(trap->scause))
		return trap->stval == 0;
	return !hatch_htinst_is_pseudo(trap->htinst) &&
	       !hatch_insn_decode_htinst(trap->htinst, &insn);
}

static void decode_call(struct hatch_event *ev, enum hatch_kind kind, const struct hatch_vcpu *vcpu)
{
	ev->kind = kind;
	ev->length = 4;
	ev->hypercall.extension = vcpu->frame.x[17];
	ev->hypercall.function = vcpu->frame.x[16];
	ev->hypercall.arg = &vcpu->frame.x[10];
}

static void decode_fault(struct hatch_event *ev, const struct hatch_trap *trap, hatch_gpa gpa)
{
	ev->kind = HATCH_FAULT;
	ev->fault.cause = trap->scause;
	ev->fault.tval = trap->stval;
	ev->fault.gpa = gpa;
}

/*
 * Whether the fault was met by the walk of the guest's own page table. Hardware that leaves
 * htinst 0 does not say so; but an access and its translation agree in the low 12 bits.
 */
static bool is_walk(const struct hatch_trap *trap, hatch_gpa gpa)
{
	if (trap->htinst)
		return hatch_htinst_is_pseudo(trap->htinst);
	return ((gpa.addr ^ trap->stval) & (HATCH_PAGE_SIZE - 1)) != 0;
}

static enum hatch_access access_of(const struct hatch_trap *trap)
{
	if (trap->scause == CAUSE_FETCH_GUEST_PAGE_FAULT)
		return HATCH_FETCH;
	return trap->scause == CAUSE_STORE_GUEST_PAGE_FAULT ? HATCH_STORE : HATCH_LOAD;
}

static uint64_t cut(uint64_t value, unsigned int width)
{
	return hatch_insn_extend(value, width, false);
}

/* Fills an mmio event; false when the instruction is none that one answer could complete. */
static bool decode_mmio(struct hatch_event *ev, const struct hatch_insn *insn, hatch_gpa gpa,
			const struct hatch_vcpu *vcpu)
{
	bool load = insn->cls == HATCH_INSN_LOAD || insn->cls == HATCH_INSN_FLOAD;
	bool store = insn->cls == HATCH_INSN_STORE || insn->cls == HATCH_INSN_FSTORE;

	if ((!load && !store) || insn->offset)
		return false;
	ev->kind = HATCH_MMIO;
	ev->mmio.gpa = gpa;
	ev->mmio.offset = gpa.addr;
	ev->mmio.width = insn->width;
	ev->mmio.write = store;
	ev->mmio.sign = insn->is_signed;
	ev->mmio.fp = insn->cls == HATCH_INSN_FLOAD || insn->cls == HATCH_INSN_FSTORE;
	ev->mmio.rd = insn->rd;
	if (store)
		ev->mmio.value = cut(ev->mmio.fp ? vcpu->fp[insn->rs2] : vcpu->frame.x[insn->rs2],
				     insn->width);
	return true;
}

/*
 * The load or store that faulted; length 0 when nobody could read it. A fetched instruction does
 * not tell whether the access faulted at its start or, misaligned, at a later part: that shows
 * when its address is not the one that faulted, and decode_mmio wants to know.
 */
static void decode_access(struct hatch_insn *insn, const struct hatch_trap *trap,
			  const struct hatch_vcpu *vcpu, uint32_t fetched)
{
	if (hatch_insn_decode_htinst(trap->htinst, insn)) {
		insn->length = (uint8_t)hatch_htinst_length(trap->htinst);
		return;
	}
	hatch_insn_decode(fetched, insn);
	if (!fetched)
		insn->length = 0;
	insn->offset = vcpu->frame.x[insn->rs1] + (uint64_t)(int64_t)insn->imm != trap->stval;
}

static void decode_guest_page_fault(struct hatch_event *ev, const struct hatch_trap *trap,
				    const struct hatch_vcpu *vcpu, uint32_t fetched)
{
	hatch_gpa gpa = hatch_gpa_of(trap->htval << 2 | (trap->stval & 3));
	bool walk = is_walk(trap, gpa);
	bool data = trap->scause != CAUSE_FETCH_GUEST_PAGE_FAULT && !walk;
	struct hatch_insn insn = { 0 };

	if (walk) /* htval's lowest bits come from the page-table entry's address: 8-byte aligned */
		gpa.addr &= ~3UL;
	if (data)
		decode_access(&insn, trap, vcpu, fetched);
	ev->length = insn.length;
	if (hatch_guest_region(vcpu->guest, gpa)) {
		ev->kind = HATCH_PAGE;
		ev->page.gpa = gpa;
		ev->page.walk = walk;
		ev->page.access = access_of(trap);
		ev->page.write = walk ? hatch_htinst_pseudo_is_write(trap->htinst)
				      : ev->page.access == HATCH_STORE;
	} else if (!data || !decode_mmio(ev, &insn, gpa, vcpu)) {
		decode_fault(ev, trap, gpa);
	}
}

static void decode_csr(struct hatch_event *ev, const struct hatch_insn *insn,
		       const struct hatch_vcpu *vcpu)
{
	bool operand_is_zero = insn->csr_immediate ? insn->uimm == 0 : insn->rs1 == 0;

	ev->kind = HATCH_CSR;
	ev->csr.number = insn->csr;
	ev->csr.op = (enum hatch_insn_csr_op)insn->csr_op;
	ev->csr.rd = insn->rd;
	ev->csr.operand = insn->csr_immediate ? insn->uimm : vcpu->frame.x[insn->rs1];
	ev->csr.read = insn->csr_op != HATCH_INSN_CSR_RW || insn->rd != 0;
	ev->csr.write = insn->csr_op == HATCH_INSN_CSR_RW || !operand_is_zero;
}

static void decode_virtual_instruction(struct hatch_event *ev, const struct hatch_trap *trap,
				       const struct hatch_vcpu *vcpu, uint32_t encoding)
{
	struct hatch_insn insn;

	hatch_insn_decode(encoding, &insn);
	ev->length = encoding ? insn.length : 0;
	ev->wfi.store = encoding == INSN_WRS_NTO;
	if (encoding == INSN_WFI || encoding == INSN_WRS_NTO)
		ev->kind = HATCH_WFI;
	else if (insn.cls == HATCH_INSN_CSR)
		decode_csr(ev, &insn, vcpu);
	else
		decode_fault(ev, trap, hatch_gpa_of(0));
}

/* Of any instruction that trapped; 0 when neither htinst nor a fetch tells. */
static uint8_t length_of(const struct hatch_trap *trap, uint32_t fetched)
{
	struct hatch_insn insn;

	if (is_fetch(trap->scause))
		return 0;
	if (fetched)
		return (uint8_t)hatch_insn_length(fetched);
	return hatch_insn_decode_htinst(trap->htinst, &insn)
		       ? (uint8_t)hatch_htinst_length(trap->htinst)
		       : 0;
}

static void decode_exception(struct hatch_event *ev, const struct hatch_trap *trap,
			     const struct hatch_vcpu *vcpu, uint32_t fetched)
{
	uint32_t encoding = trap->stval ? (uint32_t)trap->stval : fetched;

	ev->length = length_of(trap, fetched);
	switch (trap->scause) {
	case CAUSE_VIRTUAL_ECALL:
		decode_call(ev, HATCH_HYPERCALL, vcpu);
		break;
	case CAUSE_USER_ECALL:
		decode_call(ev, HATCH_SYSCALL, vcpu);
		break;
	case CAUSE_ILLEGAL_INSTRUCTION:
		ev->kind = HATCH_ILLEGAL;
		ev->illegal.encoding = encoding;
		ev->length = encoding ? (uint8_t)hatch_insn_length(encoding) : 0;
		break;
	case CAUSE_VIRTUAL_INSTRUCTION:
		decode_virtual_instruction(ev, trap, vcpu, encoding);
		break;
	case CAUSE_BREAKPOINT:
		ev->kind = HATCH_BREAKPOINT;
		break;
	default:
		decode_fault(ev, trap, hatch_gpa_of(0));
	}
}

void hatch_event_decode(struct hatch_event *ev, const struct hatch_trap *trap,
			const struct hatch_vcpu *vcpu, uint32_t fetched)
{
	*ev = (struct hatch_event){ .kind = HATCH_FAULT };
	if (trap->scause & CAUSE_INTERRUPT) {
		ev->kind = HATCH_INTERRUPT;
		ev->interrupt.irq = (unsigned int)(trap->scause & 63);
	} else if (is_guest_page_fault(trap->scause)) {
		decode_guest_page_fault(ev, trap, vcpu, fetched);
	} else {
		decode_exception(ev, trap, vcpu, fetched);
	}
}

uint64_t hatch_event_key(const struct hatch_event *ev)
{
	switch (ev->kind) {
	case HATCH_HYPERCALL:
	case HATCH_SYSCALL:
		return ev->hypercall.extension;
	case HATCH_MMIO:
		return ev->mmio.gpa.addr;
	case HATCH_PAGE:
		return ev->page.gpa.addr;
	case HATCH_ILLEGAL:
		return ev->illegal.encoding;
	case HATCH_CSR:
		return ev->csr.number;
	case HATCH_FAULT:
		return ev->fault.cause;
	case HATCH_INTERRUPT:
		return ev->interrupt.irq;
	default:
		return 0;
	}
}
