/* SPDX-License-Identifier: MIT */
/*
 * A world for the SBI clauses: one guest of two regions with a hole between them and a demand
 * paged one, three harts, a console, a log of what was asked of the hardware.
 */
#ifndef SBI_FAKE_H
#define SBI_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sbi_hart.h"
#include "sbi_internal.h"

#define RAM_BASE  UINT64_C(0x80000000)
#define RAM_SIZE  0x8000
#define ROM_BASE  (RAM_BASE + RAM_SIZE) /* touches the RAM; neither writable nor executable */
#define ROM_SIZE  0x1000
#define LAZY_BASE UINT64_C(0x90000000) /* no page is there */
#define LAZY_SIZE 0x1000
#define TOP_BASE  (UINT64_MAX - 0xfff) /* the last page of all */
#define HARTS	  3

static unsigned char ram[RAM_SIZE], rom[ROM_SIZE], top[0x1000];
static struct hatch_guest guest;
static struct hatch_vcpu vcpu[HARTS];
static struct hatch_sbi_hart hart[HARTS];
static struct hatch_try run;
static struct hatch_timer timer;
static struct hatch_sbi sbi;
static struct hatch_cont k;

/* What the hardware was asked for, one word after the other. */
static char record[4096];
static uint64_t armed;
static char console_out[8192];
static size_t console_out_size;
static const char *console_in;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t used = strlen(record);
	va_list args;

	va_start(args, format);
	vsnprintf(record + used, sizeof(record) - used, format, args);
	va_end(args);
}

static inline void *find(hatch_gpa gpa, size_t *size, unsigned int prot)
{
	const struct hatch_region *region = hatch_guest_region(&guest, gpa);

	if (!region || !region->host || (region->host == rom && prot != HATCH_PROT_READ))
		return NULL;
	uint64_t offset = gpa.addr - region->base.addr;
	if (*size > region->size - offset)
		*size = region->size - offset;
	return (char *)region->host + offset;
}

const struct hatch_region *hatch_guest_region(const struct hatch_guest *g, hatch_gpa gpa)
{
	for (unsigned int i = 0; i < g->regions; i++)
		if (gpa.addr - g->region[i].base.addr < g->region[i].size)
			return &g->region[i];
	return NULL;
}

void *hatch_guest_pointer(struct hatch_guest *g, hatch_gpa gpa, size_t *size, unsigned int prot)
{
	assert_ptr_equal(g, &guest);
	return find(gpa, size, prot);
}

int hatch_guest_read(const struct hatch_guest *g, hatch_gpa gpa, void *to, size_t size)
{
	size_t there = size;
	void *from = find(gpa, &there, HATCH_PROT_READ);

	assert_ptr_equal(g, &guest);
	if (!from || there < size)
		return HATCH_EFAULT;
	memcpy(to, from, size);
	return 0;
}

void hatch_vcpu_raise(struct hatch_vcpu *v, uint64_t hvip)
{
	v->hvip |= hvip;
}

void hatch_vcpu_lower(struct hatch_vcpu *v, uint64_t hvip)
{
	v->hvip &= ~hvip;
}

void hatch_vcpu_reset(struct hatch_vcpu *v, hatch_gpa pc, uint64_t a0, uint64_t a1)
{
	memset(v->frame.x, 0, sizeof(v->frame.x));
	v->frame.pc = pc.addr;
	v->frame.x[10] = v->hart_id = a0;
	v->frame.x[11] = a1;
	if (v != &vcpu[0]) /* the one that runs keeps what may come at any moment */
		v->hvip = 0;
	v->vs = (struct hatch_vs_csrs){ .vstimecmp = UINT64_MAX };
}

void hatch_sbi_hart_set_vstimecmp(struct hatch_vcpu *v, uint64_t ticks)
{
	v->vs.vstimecmp = ticks;
}

uint64_t hatch_sbi_hart_vstimecmp(const struct hatch_vcpu *v)
{
	return v->vs.vstimecmp;
}

uint64_t hatch_sbi_hart_hvip(const struct hatch_vcpu *v)
{
	return v->hvip;
}

uint64_t hatch_sbi_hart_vsatp(const struct hatch_vcpu *v)
{
	return v->vs.vsatp;
}

uint64_t hatch_sbi_hart_vsstatus(const struct hatch_vcpu *v)
{
	return v->vs.vsstatus;
}

static unsigned int awaited; /* fences that were sent and not waited for */

uint64_t hatch_vcpu_fence_send(struct hatch_vcpu *v, const struct hatch_fence *fence)
{
	note("%u@%lu", fence->kind, (unsigned long)v->hart_id);
	if (fence->kind != HATCH_FENCE_I)
		note(":%lx+%lx", (unsigned long)fence->start.addr, (unsigned long)fence->size);
	if (fence->kind == HATCH_FENCE_ASID)
		note("/%lx", (unsigned long)fence->asid);
	note(" ");
	awaited++;
	return v->hart_id + 1;
}

/* All were told before the first is waited for, and each is waited for by its number. */
void hatch_vcpu_fence_await(struct hatch_vcpu *v, uint64_t number)
{
	assert_int_equal(number, v->hart_id + 1);
	assert_int_not_equal(awaited--, 0);
}

/* What the hart sleeps like: woken by an interrupt, or not, and the state that others see. */
static bool woken;
static int seen;

bool hatch_vcpu_wait(struct hatch_vcpu *v)
{
	note("wait@%lu ", (unsigned long)v->hart_id);
	seen = __atomic_load_n(&hart[0].state, __ATOMIC_RELAXED);
	return woken;
}

static inline void fake_arm(void *arg, uint64_t ticks)
{
	assert_ptr_equal(arg, &armed);
	armed = ticks;
}

static inline void fake_write(void *arg, const void *bytes, size_t size)
{
	assert_null(arg);
	assert_true(console_out_size + size <= sizeof(console_out));
	memcpy(console_out + console_out_size, bytes, size);
	console_out_size += size;
}

static inline int fake_read(void *arg)
{
	assert_null(arg);
	return *console_in ? (unsigned char)*console_in++ : -1;
}

static inline int fake_start(void *arg, struct hatch_sbi_hart *h)
{
	assert_null(arg);
	assert_int_equal(h->state, SBI_HART_START_PENDING);
	note("start:%lu ", (unsigned long)h->vcpu->hart_id);
	h->state = SBI_HART_STARTED;
	return 0;
}

static inline void add_region(uint64_t base, uint64_t size, void *host)
{
	guest.region[guest.regions++] =
		(struct hatch_region){ .base = { base }, .size = size, .host = host };
}

/* A new world for each test. Harts 0, 1 and 70: the last one in a second word of a mask. */
static inline int set_up(void **state)
{
	(void)state;
	memset(&guest, 0, sizeof(guest));
	memset(vcpu, 0, sizeof(vcpu));
	memset(&run, 0, sizeof(run));
	memset(ram, 0, sizeof(ram));
	memset(record, 0, sizeof(record));
	console_out_size = 0;
	console_in = "";
	armed = 0;
	woken = true;
	seen = -1;
	add_region(RAM_BASE, RAM_SIZE, ram);
	add_region(ROM_BASE, ROM_SIZE, rom);
	add_region(LAZY_BASE, LAZY_SIZE, NULL);
	add_region(TOP_BASE, sizeof(top), top);
	for (int i = 0; i < HARTS; i++) {
		vcpu[i].guest = &guest;
		vcpu[i].hart_id = i == 2 ? 70 : (uint64_t)i;
		hart[i].vcpu = &vcpu[i];
	}
	vcpu[0].running = &run;
	hatch_timer_init(&timer, fake_arm, &armed);
	hatch_sbi_init(&sbi, hart, HARTS, &timer);
	sbi.console = (struct hatch_sbi_console){ .write = fake_write, .read = fake_read };
	hatch_scope_init(&run.scope, "try", NULL);
	run.innermost = &run.scope;
	return 0;
}

/* The clause of sbi that takes the extension. */
static inline const struct hatch_catch *clause_of(uint64_t id)
{
	const struct hatch_catch *all[] = { &sbi.base, &sbi.time, &sbi.ipi,  &sbi.rfence, &sbi.hsm,
					    &sbi.srst, &sbi.dbcn, &sbi.susp, &sbi.legacy };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->first <= id && id <= all[i]->last)
			return all[i];
	return &sbi.rest;
}

/*
 * Hart 0 makes a call. Checks what holds for every call: an answer that the clause declared, and
 * registers untouched unless the hart begins anew.
 */
static inline enum hatch_verdict call(uint64_t id, uint64_t function, const uint64_t *a)
{
	const struct hatch_catch *clause = clause_of(id);
	struct hatch_event ev = { .kind = HATCH_HYPERCALL, .length = 4 };
	enum hatch_verdict verdict;

	ev.hypercall.extension = id;
	ev.hypercall.function = function;
	ev.hypercall.arg = a;
	k = (struct hatch_cont){ .vcpu = &vcpu[0] };
	verdict = clause->handler(clause->arg, &ev, &k);
	assert_int_equal(awaited, 0);
	assert_int_equal(verdict, k.verdict);
	assert_true(clause->may & HATCH_MAY(verdict));
	return verdict;
}

#define CALL(id, function, ...) call(id, function, (const uint64_t[8]){ __VA_ARGS__ })

/* The call is answered with this error and value in a0 and a1. */
#define EXPECT(error, value_, id, function, ...)                                                   \
	do {                                                                                       \
		assert_int_equal(CALL(id, function, __VA_ARGS__), HATCH_RESUME);                   \
		assert_true(k.pair);                                                               \
		assert_int_equal((int64_t)k.value, error);                                         \
		assert_int_equal(k.second, value_);                                                \
	} while (0)

#define EXPECT_RECORD(text)                                                                        \
	do {                                                                                       \
		assert_string_equal(record, text);                                                 \
		record[0] = '\0';                                                                  \
	} while (0)

#endif
