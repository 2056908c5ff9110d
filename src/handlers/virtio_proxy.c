/* SPDX-License-Identifier: MIT */
/* The life of the proxy, and its ways in and out: the clause, the interrupts. */
#include <stdio.h>

#include <hatch/handlers/unmapped.h>

#include "virtio_internal.h"

/* ---- Interrupts ---- */

static void tell_line(struct hatch_virtio_proxy *p)
{
	p->level = p->interrupts != 0;
	if (p->line)
		p->line(p->line_arg, p->level);
}

void hatch_virtio_raise(struct hatch_virtio_proxy *p, uint32_t interrupts)
{
	p->interrupts |= interrupts;
	hatch_window_set(&p->window, REG_INTERRUPT_STATUS, p->interrupts);
	if (!interrupts || !p->level)
		tell_line(p);
}

void hatch_virtio_acknowledge(struct hatch_virtio_proxy *p, uint32_t interrupts)
{
	p->interrupts &= ~interrupts;
	hatch_window_set(&p->window, REG_INTERRUPT_STATUS, p->interrupts);
	if (p->level && !p->interrupts)
		tell_line(p);
}

/* Whatever has changed is behind the window before the guest is told that it has. */
static void tell_guest(struct hatch_virtio_proxy *p, uint32_t interrupts)
{
	if (interrupts & INTERRUPT_CONFIG) {
		hatch_window_shut(&p->window);
		hatch_virtio_raise(p, INTERRUPT_CONFIG);
	}
	hatch_virtio_give_all(p);
	hatch_virtio_show(p);
}

void hatch_virtio_proxy_interrupt(struct hatch_virtio_proxy *p)
{
	uint32_t interrupts;

	hatch_lock_acquire(&p->lock);
	interrupts = p->dead ? 0 : virtio_load(p, REG_INTERRUPT_STATUS) & INTERRUPT_ALL;
	if (interrupts) {
		p->count.interrupts++;
		virtio_store(p, REG_INTERRUPT_ACK, interrupts);
	}
	if (interrupts && virtio_is_live(p))
		tell_guest(p, interrupts);
	hatch_lock_release(&p->lock);
}

/* ---- Life ---- */

static void clear_queues(struct hatch_virtio_proxy *p)
{
	for (uint32_t i = 0; i < p->queues; i++) {
		struct hatch_virtio_queue *q = &p->queue[i];

		q->num = q->entries;
		q->ready = q->stopped = false;
		q->next_avail = q->next_used = 0;
		q->table = q->avail = q->used = (struct virtio_area){ .base = 0 };
		hatch_virtio_clear_queue(q);
	}
}

/* The real device first: what it may still write to is forgotten only when it cannot any more. */
void hatch_virtio_reset(struct hatch_virtio_proxy *p)
{
	hatch_window_shut(&p->window);
	hatch_virtio_reset_real(p);
	clear_queues(p);
	p->accepted = 0;
	p->beyond = false;
	p->device_features_sel = p->driver_features_sel = p->queue_sel = 0;
	p->status = 0;
	hatch_virtio_acknowledge(p, INTERRUPT_ALL);
}

void hatch_virtio_break(struct hatch_virtio_proxy *p, const char *why)
{
	hatch_window_shut(&p->window);
	p->problem = why;
	p->count.broken++;
	hatch_virtio_reset_real(p);
	for (uint32_t i = 0; i < p->queues; i++)
		hatch_virtio_clear_queue(&p->queue[i]);
	p->status |= STATUS_NEEDS_RESET;
	if (p->status & STATUS_DRIVER_OK)
		hatch_virtio_raise(p, INTERRUPT_CONFIG);
}

/* ---- The clause ---- */

static enum hatch_verdict on_virtio(void *arg, const struct hatch_event *ev, struct hatch_cont *k)
{
	struct hatch_virtio_proxy *p = arg;
	uint64_t value;

	if (!virtio_is_access(ev))
		return hatch_inject_access_fault(ev, k);
	hatch_lock_acquire(&p->lock);
	value = hatch_virtio_access(p, ev);
	hatch_lock_release(&p->lock);
	return hatch_resume(k, value);
}

/* ---- The host's side ---- */

static void init_clause(struct hatch_virtio_proxy *p, hatch_gpa base)
{
	p->clause = HATCH_ON_MMIO(base.addr, HATCH_VIRTIO_SIZE, on_virtio, p);
	p->clause.name = "virtio";
	p->clause.may = HATCH_MAY(HATCH_RESUME) | HATCH_MAY(HATCH_INJECT);
	snprintf(p->name, sizeof(p->name), "virtio@%llx", (unsigned long long)base.addr);
	hatch_virtio_state_init(p);
}

int hatch_virtio_proxy_init(struct hatch_virtio_proxy *p, struct hatch_guest *guest, hatch_gpa base,
			    const struct hatch_virtio_real *real)
{
	int error;

	if (!p)
		return HATCH_EINVAL;
	*p = (struct hatch_virtio_proxy){ .guest = guest };
	p->problem = "a virtio proxy takes a guest, a device and an address on a page of 4 KiB";
	if (!guest || !guest->stage.memory || !real || base.addr & (HATCH_PAGE_SIZE - 1))
		return HATCH_EINVAL;
	p->problem = NULL;
	p->real = *real;
	p->memory = guest->stage.memory;
	error = hatch_virtio_identify(p);
	if (!error)
		error = hatch_virtio_make_queues(p);
	if (error) {
		hatch_virtio_free_queues(p);
		return error;
	}
	clear_queues(p);
	init_clause(p, base);
	return HATCH_OK;
}

void hatch_virtio_proxy_add_window(struct hatch_virtio_proxy *p)
{
	hatch_lock_acquire(&p->lock);
	hatch_window_init(&p->window, p->guest, hatch_gpa_of(p->clause.first));
	hatch_lock_release(&p->lock);
}

void hatch_virtio_proxy_reset(struct hatch_virtio_proxy *p)
{
	hatch_lock_acquire(&p->lock);
	hatch_virtio_reset(p);
	hatch_lock_release(&p->lock);
}

void hatch_virtio_proxy_fini(struct hatch_virtio_proxy *p)
{
	if (!p->queue)
		return;
	hatch_lock_acquire(&p->lock);
	hatch_virtio_reset(p);
	hatch_window_fini(&p->window);
	hatch_virtio_free_queues(p);
	hatch_lock_release(&p->lock);
}
