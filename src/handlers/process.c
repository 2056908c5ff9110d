/* SPDX-License-Identifier: MIT */
/* A process's clauses: what its events become. */
#include "process_internal.h"

enum { SIGNAL_STATUS = 128, CODE_MASK = 0xff, ALL_FAULTS = 63 };

#define DEFAULT_SEED UINT64_C(0x9e3779b97f4a7c15)

static enum hatch_verdict end_with(const struct hatch_process *p, struct hatch_cont *k, long status)
{
	return p->config.unwinds ? hatch_unwind(k, status) : hatch_finish(k, status);
}

static enum hatch_verdict end_by(struct hatch_process *p, struct hatch_cont *k, int signal)
{
	p->state.signal = signal;
	return end_with(p, k, SIGNAL_STATUS + signal);
}

static bool is_denied(int64_t answer)
{
	return answer == -LINUX_ENOSYS || answer == -LINUX_EPERM || answer == -LINUX_EACCES ||
	       answer == -LINUX_EROFS;
}

static enum hatch_verdict answer(struct hatch_process *p, struct hatch_cont *k, int64_t result,
				 uint64_t code)
{
	switch (result) {
	case PROCESS_ENDED:
		return p->state.signal ? end_by(p, k, p->state.signal)
				       : end_with(p, k, (long)(code & CODE_MASK));
	case PROCESS_AGAIN:
	case PROCESS_REPLACED:
		return hatch_retry(k);
	case PROCESS_STARVED:
		return hatch_unwind(k, HATCH_ENOMEM);
	default:
		p->state.denied += is_denied(result);
		return hatch_resume(k, (uint64_t)result);
	}
}

static enum hatch_verdict on_call(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_process *p = arg;
	const struct process_entry *entry = process_find_call(ev->hypercall.extension);
	uint64_t a[8]; /* execve changes the registers that the event points to */

	for (unsigned int i = 0; i < 8; i++)
		a[i] = ev->hypercall.arg[i];
	p->state.calls += !p->state.wake;
	return answer(p, k, entry ? entry->call(p, a) : -LINUX_ENOSYS, a[0]);
}

static unsigned int rights_for(enum hatch_access access)
{
	switch (access) {
	case HATCH_FETCH:
		return HATCH_PROT_EXEC;
	case HATCH_STORE:
		return HATCH_PROT_WRITE;
	default:
		return HATCH_PROT_READ;
	}
}

static enum hatch_verdict on_page(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_process *p = arg;
	int error = process_page_in(p, ev->page.gpa.addr, rights_for(ev->page.access));

	if (error == PROCESS_STARVED)
		return hatch_unwind(k, HATCH_ENOMEM);
	return error ? end_by(p, k, LINUX_SIGSEGV) : hatch_retry(k);
}

static enum hatch_verdict on_illegal(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	(void)ev;
	return end_by(arg, k, LINUX_SIGILL);
}

static enum hatch_verdict on_breakpoint(void *arg, const struct hatch_event *ev,
					struct hatch_cont *k)
{
	(void)ev;
	return end_by(arg, k, LINUX_SIGTRAP);
}

static enum hatch_verdict on_fault(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	switch (ev->fault.cause) {
	case CAUSE_VIRTUAL_INSTRUCTION:
		return end_by(arg, k, LINUX_SIGILL);
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		return end_by(arg, k, LINUX_SIGBUS);
	default:
		return end_by(arg, k, LINUX_SIGSEGV);
	}
}

/* Accesses outside of the region, registers of the machine, wfi. Interrupts are the host's. */
static enum hatch_verdict on_rest(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	if (ev->kind == HATCH_MMIO)
		return end_by(arg, k, LINUX_SIGSEGV);
	if (ev->kind == HATCH_CSR || ev->kind == HATCH_WFI || ev->kind == HATCH_HYPERCALL)
		return end_by(arg, k, LINUX_SIGILL);
	return HATCH_PASS;
}

static int check(const struct hatch_process_config *config)
{
	for (unsigned int i = 0; i < HATCH_PROCESS_ALLOW && config->allow[i]; i++)
		if (hatch_files_find(config->files, HATCH_FILES_ROOT, config->allow[i], true) < 0)
			return HATCH_ENOENT;
	return 0;
}

static void add_clauses(struct hatch_process *p)
{
	const uint64_t size = HATCH_PROCESS_END - HATCH_PROCESS_FIRST;

	hatch_scope_init(&p->scope, "process", NULL);
	p->calls = HATCH_ON_SYSCALLS(0, UINT64_MAX, on_call, p);
	p->pages = HATCH_ON_PAGE(HATCH_PROCESS_FIRST, size, on_page, p);
	p->faults = HATCH_ON_FAULT(0, ALL_FAULTS, on_fault, p);
	p->illegal = HATCH_ON_ILLEGAL(0, 0, on_illegal, p);
	p->breakpoint = HATCH_ON_BREAKPOINT(on_breakpoint, p);
	p->rest = HATCH_ON_ANY(on_rest, p);
	/* No two of them overlap, and the scope is new: nothing here can fail. */
	hatch_catch_add(&p->scope, &p->calls);
	hatch_catch_add(&p->scope, &p->pages);
	hatch_catch_add(&p->scope, &p->faults);
	hatch_catch_add(&p->scope, &p->illegal);
	hatch_catch_add(&p->scope, &p->breakpoint);
	hatch_catch_add(&p->scope, &p->rest);
	p->keep = process_state_of(p);
	hatch_state_add(&p->scope, &p->keep);
}

int hatch_process_init(struct hatch_process *p, struct hatch_vcpu *vcpu,
		       const struct hatch_process_config *config)
{
	int error;

	if (!p || !vcpu || !vcpu->guest || !config || !config->files || !config->files->count)
		return HATCH_EINVAL;
	error = check(config);
	if (error)
		return error;
	*p = (struct hatch_process){ .config = *config, .vcpu = vcpu };
	p->state.random = config->seed ? config->seed : DEFAULT_SEED;
	process_open_console(p);
	add_clauses(p);
	error = hatch_gstage_init(&p->own, vcpu->guest->stage.memory, HATCH_SV39X4, 0);
	if (!error)
		error = hatch_guest_add_lazy(vcpu->guest, hatch_gpa_of(HATCH_PROCESS_FIRST),
					     HATCH_PROCESS_END - HATCH_PROCESS_FIRST);
	if (error)
		hatch_gstage_fini(&p->own);
	return error;
}

int hatch_process_enter(struct hatch_process *p, struct hatch_try *t)
{
	return hatch_scope_enter(t, &p->scope);
}

void hatch_process_fini(struct hatch_process *p)
{
	process_page_fini(p);
	p->state.maps = 0;
	p->state.mapped = 0;
}
