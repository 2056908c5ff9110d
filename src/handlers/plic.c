/* SPDX-License-Identifier: MIT */
/*
 * The journey of an interrupt: a device raises its line (hatch_plic_set); the gateway makes the
 * source pending; the output to each context that may take it rises; the guest reads the claim
 * register, which puts the source in service; the guest writes it back, and the gateway looks at
 * the line again.
 */
#include <string.h>

#include <hatch/handlers/unmapped.h>

#include "plic_internal.h"

static bool test_bit(const uint32_t *set, unsigned int n)
{
	return set[n / 32] >> (n % 32) & 1;
}

static void assign_bit(uint32_t *set, unsigned int n, bool value)
{
	uint32_t bit = 1U << (n % 32);

	set[n / 32] = value ? set[n / 32] | bit : set[n / 32] & ~bit;
}

static bool source_exists(const struct hatch_plic *plic, uint64_t source)
{
	return source >= 1 && source <= plic->sources;
}

/* The sources of one word that exist: source 0 does not. */
static uint32_t existing(const struct hatch_plic *plic, unsigned int word)
{
	unsigned int first = word * 32, count = plic->sources + 1;
	uint32_t mask = count >= first + 32 ? UINT32_MAX : 0;

	if (count > first && count < first + 32)
		mask = (1U << (count - first)) - 1;
	return word ? mask : mask & ~1U;
}

/* The enabled pending source of highest priority above `floor`, lowest number first; 0: none. */
static unsigned int best_source(const struct hatch_plic *plic,
				const struct hatch_plic_context *context, uint32_t floor)
{
	unsigned int best = 0;

	for (unsigned int word = 0; word < HATCH_PLIC_WORDS; word++) {
		uint32_t ready = plic->pending[word] & context->enable[word];

		for (; ready; ready &= ready - 1) {
			unsigned int source = word * 32 + (unsigned int)__builtin_ctz(ready);

			if (plic->priority[source] > floor) {
				floor = plic->priority[source];
				best = source;
			}
		}
	}
	return best;
}

/* Tells the sink if the context's output changes, or with `anew` in any case: it forgot. */
static void update_output(struct hatch_plic *plic, unsigned int n, bool anew)
{
	struct hatch_plic_context *context = &plic->context[n];
	bool output = best_source(plic, context, context->threshold) != 0;

	if (output == context->output && !anew)
		return;
	context->output = output;
	if (plic->output)
		plic->output(plic->arg, n, output);
}

static void update_outputs(struct hatch_plic *plic, bool anew)
{
	for (unsigned int i = 0; i < plic->contexts; i++)
		update_output(plic, i, anew);
}

/* Whether the source is pending: an output can only rise for it then, and only fall otherwise. */
static void set_pending(struct hatch_plic *plic, unsigned int source, bool pending)
{
	assign_bit(plic->pending, source, pending);
	for (unsigned int i = 0; i < plic->contexts; i++)
		if (plic->context[i].output != pending && test_bit(plic->context[i].enable, source))
			update_output(plic, i, false);
}

/* Forwards a request if the line is high and the last one is completed. */
static void open_gateway(struct hatch_plic *plic, unsigned int source)
{
	if (test_bit(plic->level, source) && !test_bit(plic->service, source))
		set_pending(plic, source, true);
}

void hatch_plic_set(struct hatch_plic *plic, unsigned int source, bool level)
{
	if (!source_exists(plic, source))
		return;
	hatch_lock_acquire(&plic->lock);
	if (test_bit(plic->level, source) != level) {
		assign_bit(plic->level, source, level);
		open_gateway(plic, source);
	}
	hatch_lock_release(&plic->lock);
}

void hatch_plic_line(void *line, bool level)
{
	struct hatch_plic_line *l = line;

	hatch_plic_set(l->plic, l->source, level);
}

/* ---- Registers ---- */

/* The threshold decides about the notification only: a claim may get less (chapter 8). */
static uint32_t claim(struct hatch_plic *plic, struct hatch_plic_context *context)
{
	unsigned int source = best_source(plic, context, 0);

	if (!source)
		return 0;
	assign_bit(plic->service, source, true);
	set_pending(plic, source, false);
	return source;
}

/* Ignored for a source that is not enabled for this context (chapter 9). */
static void complete(struct hatch_plic *plic, struct hatch_plic_context *context, uint32_t source)
{
	if (!source_exists(plic, source) || !test_bit(context->enable, source))
		return;
	assign_bit(plic->service, source, false);
	open_gateway(plic, source);
}

static uint32_t read_context(struct hatch_plic *plic, unsigned int n, uint64_t reg)
{
	if (n >= plic->contexts)
		return 0;
	if (reg == CONTEXT_THRESHOLD)
		return plic->context[n].threshold;
	return reg == CONTEXT_CLAIM ? claim(plic, &plic->context[n]) : 0;
}

static void write_context(struct hatch_plic *plic, unsigned int n, uint64_t reg, uint32_t value)
{
	if (n >= plic->contexts)
		return;
	if (reg == CONTEXT_CLAIM)
		complete(plic, &plic->context[n], value);
	if (reg != CONTEXT_THRESHOLD)
		return;
	plic->context[n].threshold = value & HATCH_PLIC_PRIORITY_MAX;
	update_output(plic, n, false);
}

/* The word of a context's enable bits at this offset; NULL where none is. */
static uint32_t *enable_word(struct hatch_plic *plic, uint64_t offset)
{
	uint64_t n = (offset - ENABLE_BASE) / ENABLE_STRIDE;
	uint64_t word = (offset - ENABLE_BASE) % ENABLE_STRIDE / 4;

	if (n >= plic->contexts || word >= HATCH_PLIC_WORDS)
		return NULL;
	return &plic->context[n].enable[word];
}

static void write_enable(struct hatch_plic *plic, uint64_t offset, uint32_t value)
{
	uint32_t *enable = enable_word(plic, offset);

	if (!enable)
		return;
	*enable = value & existing(plic, (unsigned int)(offset % ENABLE_STRIDE / 4));
	hatch_window_set(&plic->window[(offset - ENABLE_BASE) / HATCH_PAGE_SIZE], offset, *enable);
	update_output(plic, (unsigned int)((offset - ENABLE_BASE) / ENABLE_STRIDE), false);
}

static void write_priority(struct hatch_plic *plic, unsigned int source, uint32_t value)
{
	plic->priority[source] = value & HATCH_PLIC_PRIORITY_MAX;
	if (test_bit(plic->pending, source))
		update_outputs(plic, false);
}

static uint32_t read_register(struct hatch_plic *plic, uint64_t offset)
{
	uint32_t *enable;

	if (offset >= CONTEXT_BASE)
		return read_context(plic, (unsigned int)((offset - CONTEXT_BASE) / CONTEXT_STRIDE),
				    offset % CONTEXT_STRIDE);
	if (offset >= ENABLE_BASE) {
		enable = enable_word(plic, offset);
		return enable ? *enable : 0;
	}
	if (offset >= PENDING_BASE)
		return (offset - PENDING_BASE) / 4 < HATCH_PLIC_WORDS
			       ? plic->pending[(offset - PENDING_BASE) / 4]
			       : 0;
	return source_exists(plic, offset / 4) ? plic->priority[offset / 4] : 0;
}

static void write_register(struct hatch_plic *plic, uint64_t offset, uint32_t value)
{
	if (offset >= CONTEXT_BASE)
		write_context(plic, (unsigned int)((offset - CONTEXT_BASE) / CONTEXT_STRIDE),
			      offset % CONTEXT_STRIDE, value);
	else if (offset >= ENABLE_BASE)
		write_enable(plic, offset, value);
	else if (offset < PENDING_BASE && source_exists(plic, offset / 4))
		write_priority(plic, (unsigned int)(offset / 4), value);
}

static enum hatch_verdict on_plic(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_plic *plic = arg;
	uint32_t value = 0;

	if (ev->mmio.width != 4 || ev->mmio.offset % 4)
		return hatch_inject_access_fault(ev, k);
	hatch_lock_acquire(&plic->lock);
	if (!ev->mmio.write) {
		value = read_register(plic, ev->mmio.offset);
	} else {
		write_register(plic, ev->mmio.offset, (uint32_t)ev->mmio.value);
		hatch_plic_show(plic);
	}
	hatch_lock_release(&plic->lock);
	return hatch_resume(k, value);
}

/* ---- State ---- */

struct plic_context_image {
	uint32_t enable[HATCH_PLIC_WORDS];
	uint32_t threshold, reserved;
};

struct plic_image {
	uint32_t sources, contexts;
	uint32_t level[HATCH_PLIC_WORDS], pending[HATCH_PLIC_WORDS], service[HATCH_PLIC_WORDS];
	uint8_t priority[HATCH_PLIC_SOURCES + 1];
	struct plic_context_image context[];
};

static void save_registers(const struct hatch_plic *plic, struct plic_image *image)
{
	memcpy(image->level, plic->level, sizeof(image->level));
	memcpy(image->pending, plic->pending, sizeof(image->pending));
	memcpy(image->service, plic->service, sizeof(image->service));
	for (unsigned int i = 0; i <= plic->sources; i++)
		image->priority[i] = (uint8_t)plic->priority[i];
	for (unsigned int i = 0; i < plic->contexts; i++) {
		const struct hatch_plic_context *context = &plic->context[i];

		memcpy(image->context[i].enable, context->enable, sizeof(context->enable));
		image->context[i].threshold = context->threshold;
	}
}

static void save(void *arg, void *to)
{
	struct hatch_plic *plic = arg;
	struct plic_image *image = to;

	memset(image, 0, plic->state.size);
	image->sources = plic->sources;
	image->contexts = plic->contexts;
	hatch_lock_acquire(&plic->lock);
	hatch_plic_hide(plic);
	save_registers(plic, image);
	hatch_lock_release(&plic->lock);
}

static bool is_subset(const struct hatch_plic *plic, const uint32_t *set)
{
	for (unsigned int word = 0; word < HATCH_PLIC_WORDS; word++)
		if (set[word] & ~existing(plic, word))
			return false;
	return true;
}

static bool are_gateways(const struct hatch_plic *plic, const struct plic_image *image)
{
	for (unsigned int word = 0; word < HATCH_PLIC_WORDS; word++) {
		uint32_t pending = image->pending[word], service = image->service[word];

		if (pending & service || image->level[word] & ~(pending | service))
			return false;
	}
	return is_subset(plic, image->level) && is_subset(plic, image->pending) &&
	       is_subset(plic, image->service);
}

static bool are_priorities(const struct hatch_plic *plic, const uint8_t *priority)
{
	for (unsigned int i = 0; i <= HATCH_PLIC_SOURCES; i++)
		if (priority[i] > (source_exists(plic, i) ? HATCH_PLIC_PRIORITY_MAX : 0))
			return false;
	return true;
}

static bool are_contexts(const struct hatch_plic *plic, const struct plic_context_image *context)
{
	for (unsigned int i = 0; i < plic->contexts; i++)
		if (!is_subset(plic, context[i].enable) || context[i].reserved ||
		    context[i].threshold > HATCH_PLIC_PRIORITY_MAX)
			return false;
	return true;
}

static void restore_registers(struct hatch_plic *plic, const struct plic_image *image)
{
	memcpy(plic->level, image->level, sizeof(plic->level));
	memcpy(plic->pending, image->pending, sizeof(plic->pending));
	memcpy(plic->service, image->service, sizeof(plic->service));
	for (unsigned int i = 0; i <= HATCH_PLIC_SOURCES; i++)
		plic->priority[i] = image->priority[i];
	for (unsigned int i = 0; i < plic->contexts; i++) {
		memcpy(plic->context[i].enable, image->context[i].enable,
		       sizeof(plic->context[i].enable));
		plic->context[i].threshold = image->context[i].threshold;
	}
	update_outputs(plic, true);
}

static int restore(void *arg, const void *from, struct hatch_vcpu *vcpu)
{
	const struct plic_image *image = from;
	struct hatch_plic *plic = arg;

	if (image->sources != plic->sources || image->contexts != plic->contexts ||
	    !are_gateways(plic, image) || !are_priorities(plic, image->priority) ||
	    !are_contexts(plic, image->context))
		return HATCH_EFORMAT;
	hatch_lock_acquire(&plic->lock);
	hatch_plic_move(plic, vcpu);
	restore_registers(plic, image);
	hatch_lock_release(&plic->lock);
	return HATCH_OK;
}

/* ---- Life ---- */

void hatch_plic_reset(struct hatch_plic *plic)
{
	hatch_lock_acquire(&plic->lock);
	hatch_plic_hide(plic);
	memset(plic->priority, 0, sizeof(plic->priority));
	memset(plic->service, 0, sizeof(plic->service));
	memcpy(plic->pending, plic->level, sizeof(plic->pending));
	for (unsigned int i = 0; i < plic->contexts; i++) {
		memset(plic->context[i].enable, 0, sizeof(plic->context[i].enable));
		plic->context[i].threshold = 0;
	}
	update_outputs(plic, false);
	hatch_lock_release(&plic->lock);
}

int hatch_plic_init(struct hatch_plic *plic, hatch_gpa base, unsigned int sources,
		    unsigned int contexts)
{
	if (!sources || sources > HATCH_PLIC_SOURCES || !contexts || contexts > HATCH_PLIC_CONTEXTS)
		return HATCH_EINVAL;
	*plic = (struct hatch_plic){ .sources = sources, .contexts = contexts };
	plic->clause = HATCH_ON_MMIO(base.addr, HATCH_PLIC_SIZE, on_plic, plic);
	plic->clause.name = "plic";
	plic->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT);
	plic->state = (struct hatch_state){
		.name = "plic",
		.version = 1,
		.size = sizeof(struct plic_image) + contexts * sizeof(struct plic_context_image),
		.save = save,
		.restore = restore,
		.arg = plic,
	};
	return HATCH_OK;
}
