/* SPDX-License-Identifier: MIT */
/*
 * For tests of clauses that several harts use at once: a thread is a hart. Run on the address
 * sanitizer for what they do, and on the thread sanitizer for what they share.
 */
#ifndef SMP_THREADS_H
#define SMP_THREADS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hatch/catch.h>

enum { THREADS = 4 };

/* As assert_true, which belongs to the main thread alone. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct smp_thread {
	pthread_t thread;
	unsigned int number;
	uint64_t seed;
	void (*work)(struct smp_thread *self);
} smp_thread[THREADS];

static inline uint32_t smp_random(struct smp_thread *self)
{
	self->seed = self->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(self->seed >> 32);
}

static inline void *smp_begin(void *arg)
{
	struct smp_thread *self = arg;

	self->work(self);
	return NULL;
}

/* Returns when all have. */
static inline void smp_run(void (*work)(struct smp_thread *self), uint64_t seed)
{
	for (unsigned int i = 0; i < THREADS; i++) {
		smp_thread[i].number = i;
		smp_thread[i].seed = seed * THREADS + i;
		smp_thread[i].work = work;
		assert_int_equal(
			pthread_create(&smp_thread[i].thread, NULL, smp_begin, &smp_thread[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(smp_thread[i].thread, NULL), 0);
}

/* A load or store of the guest; the value that it has, or 0. */
static inline uint64_t smp_access(const struct hatch_catch *clause, struct hatch_vcpu *vcpu,
				  uint64_t offset, unsigned int width, bool write, uint64_t value)
{
	struct hatch_event ev = { .kind = HATCH_MMIO, .length = 4 };
	struct hatch_cont k = { .vcpu = vcpu };

	ev.mmio.gpa = hatch_gpa_of(clause->first + offset);
	ev.mmio.offset = offset;
	ev.mmio.width = (uint8_t)width;
	ev.mmio.write = write;
	ev.mmio.value = value & ((UINT64_C(1) << (8 * width)) - 1);
	CHECK(clause->handler(clause->arg, &ev, &k) == HATCH_RESUME);
	return k.value;
}

static inline uint64_t smp_load(const struct hatch_catch *clause, uint64_t offset,
				unsigned int width)
{
	return smp_access(clause, NULL, offset, width, false, 0);
}

static inline void smp_store(const struct hatch_catch *clause, uint64_t offset, unsigned int width,
			     uint64_t value)
{
	smp_access(clause, NULL, offset, width, true, value);
}

#endif
