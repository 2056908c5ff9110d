/* SPDX-License-Identifier: MIT */
/*
 * For tests of a machine of several harts: the vcpus and the host, in C, where a thread is a hart
 * of the host.
 */
#ifndef SMP_MACHINE_H
#define SMP_MACHINE_H

#include "smp_threads.h"

#include <hatch/handlers/machine.h>

#include "sbi_hart.h"

#define RAM UINT64_C(0x80000000)

static struct hatch_sbi_hart harts[THREADS];
static struct hatch_vcpu vcpus[THREADS];
static char fdt[1024];

static _Thread_local struct smp_thread *me;
static _Thread_local uint64_t armed;

/* ---- The hart ---- */

static inline unsigned int number_of(const struct hatch_vcpu *vcpu)
{
	return (unsigned int)(vcpu - vcpus);
}

void hatch_vcpu_raise(struct hatch_vcpu *vcpu, uint64_t hvip)
{
	__atomic_fetch_or(&vcpu->hvip, hvip, __ATOMIC_RELAXED);
}

void hatch_vcpu_lower(struct hatch_vcpu *vcpu, uint64_t hvip)
{
	__atomic_fetch_and(&vcpu->hvip, ~hvip, __ATOMIC_RELAXED);
}

uint64_t hatch_vcpu_fence_send(struct hatch_vcpu *vcpu, const struct hatch_fence *fence)
{
	CHECK(fence->kind <= HATCH_FENCE_ASID);
	__atomic_fetch_add(&vcpu->post.sent, 1, __ATOMIC_RELAXED);
	return 0;
}

void hatch_vcpu_fence_await(struct hatch_vcpu *vcpu, uint64_t number)
{
	assert_non_null(vcpu);
	assert_int_equal(number, 0);
}

void hatch_vcpu_kick(struct hatch_vcpu *vcpu)
{
	__atomic_store_n(&vcpu->post.kicked, true, __ATOMIC_RELEASE);
}

/* Nobody resets the registers of a hart that runs, but itself. */
void hatch_vcpu_reset(struct hatch_vcpu *vcpu, hatch_gpa pc, uint64_t a0, uint64_t a1)
{
	CHECK(!vcpu->live || number_of(vcpu) == me->number);
	CHECK(number_of(vcpu) == a0);
	vcpu->frame.pc = pc.addr;
	vcpu->frame.x[11] = a1;
	vcpu->hart_id = a0;
	vcpu->vs.vstimecmp = UINT64_MAX;
	__atomic_fetch_and(&vcpu->hvip, HVIP_VSEIP, __ATOMIC_RELAXED);
}

bool hatch_vcpu_wait(struct hatch_vcpu *vcpu)
{
	CHECK(vcpu->live && number_of(vcpu) == me->number);
	CHECK(__atomic_load_n(&harts[me->number].state, __ATOMIC_RELAXED) == SBI_HART_SUSPENDED);
	return smp_random(me) % 2;
}

uint64_t hatch_vcpu_time(const struct hatch_vcpu *vcpu)
{
	static uint64_t time;

	return __atomic_add_fetch(&time, 10, __ATOMIC_RELAXED) + vcpu->confine.htimedelta;
}

void hatch_sbi_hart_set_vstimecmp(struct hatch_vcpu *vcpu, uint64_t ticks)
{
	vcpu->vs.vstimecmp = ticks;
}

uint64_t hatch_sbi_hart_vstimecmp(const struct hatch_vcpu *vcpu)
{
	return vcpu->vs.vstimecmp;
}

uint64_t hatch_sbi_hart_hvip(const struct hatch_vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->hvip, __ATOMIC_RELAXED);
}

uint64_t hatch_sbi_hart_vsatp(const struct hatch_vcpu *vcpu)
{
	return vcpu->vs.vsatp;
}

uint64_t hatch_sbi_hart_vsstatus(const struct hatch_vcpu *vcpu)
{
	return vcpu->vs.vsstatus;
}

/* ---- The guest's memory: all there is, and nothing to be seen in it ---- */

const struct hatch_region *hatch_guest_region(const struct hatch_guest *guest, hatch_gpa gpa)
{
	static const struct hatch_region ram = { .base = { RAM }, .size = 0x1000 };

	(void)guest;
	return gpa.addr - RAM < ram.size ? &ram : NULL;
}

void *hatch_guest_pointer(struct hatch_guest *guest, hatch_gpa gpa, size_t *size, unsigned int prot)
{
	(void)guest;
	(void)gpa;
	(void)size;
	(void)prot;
	return NULL;
}

int hatch_guest_read(const struct hatch_guest *guest, hatch_gpa gpa, void *to, size_t size)
{
	(void)guest;
	(void)gpa;
	memset(to, 'x', size);
	return HATCH_OK;
}

/* The machine makes up for nothing here. */
int hatch_emulator_init(struct hatch_emulator *emulator, const char *extensions)
{
	(void)emulator;
	return *extensions ? HATCH_ENOENT : HATCH_ENOTSUP;
}

int hatch_emulator_add(struct hatch_emulator *emulator, struct hatch_scope *scope)
{
	(void)emulator;
	(void)scope;
	return HATCH_ENOTSUP;
}

/* ---- The host ---- */

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool called;
} bell[THREADS];

/* What the machine's locks guard for the host. */
static unsigned int console_bytes, console_changes;

static inline void on_write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	(void)bytes;
	console_bytes += (unsigned int)size;
}

static inline int on_read(void *arg)
{
	(void)arg;
	return console_bytes++ % 3 ? 'x' : -1;
}

static inline void on_listen(void *arg, bool on)
{
	(void)arg;
	console_changes += on;
}

static inline void on_timer(void *arg, uint64_t ticks)
{
	(void)arg;
	armed = ticks;
}

static inline uint64_t on_wall(void *arg)
{
	(void)arg;
	return 1700000000;
}

/* A stopped hart has no alarm. It may wake up for no reason. */
static inline void on_wait(void *arg)
{
	unsigned int i = me->number;

	(void)arg;
	CHECK(armed == HATCH_TIMER_NEVER);
	if (smp_random(me) % 4 == 0)
		return;
	pthread_mutex_lock(&bell[i].mutex);
	while (!bell[i].called)
		pthread_cond_wait(&bell[i].cond, &bell[i].mutex);
	bell[i].called = false;
	pthread_mutex_unlock(&bell[i].mutex);
}

static inline void on_wake(void *arg, unsigned int hart)
{
	(void)arg;
	CHECK(hart < THREADS);
	pthread_mutex_lock(&bell[hart].mutex);
	bell[hart].called = true;
	pthread_cond_signal(&bell[hart].cond);
	pthread_mutex_unlock(&bell[hart].mutex);
}

static inline struct hatch_machine_host smp_host(void)
{
	return (struct hatch_machine_host){
		.fdt = fdt,
		.console_write = on_write,
		.console_read = on_read,
		.console_interrupt = on_listen,
		.timer = on_timer,
		.wall_ns = on_wall,
		.wait = on_wait,
		.wake = on_wake,
	};
}

#endif
