/* SPDX-License-Identifier: MIT */
/*
 * A guest that attacks its virtio devices, one after the other, with three harts, while the first
 * one uses the others; and each time the attack ends the device that was attacked must work again.
 */
#include "virtio_attack.h"

#define SBI_HSM	 0x48534d
#define SBI_IPI	 0x735049
#define OTHERS	 (VIRTIO_HARTS - 1)
#define OF_ROUND 100 /* rings */

static uint64_t round, parked; /* an odd round: the others attack */
static uint64_t vector;
static _Alignas(16) uint8_t stacks[VIRTIO_HARTS][8192];

/* An access that a device does not have is passed over; anything else was not meant. */
uint64_t hatch_guest_trap(uint64_t cause, uint64_t pc, uint64_t tval)
{
	uint16_t insn = *(const uint16_t *)pc;

	virtio_need((cause >= 4 && cause <= 7) && tval - VIRTIO_REGISTERS < 0x8000, VIRTIO_TRAP,
		    cause & 15);
	return pc + ((insn & 3) == 3 ? 4 : 2);
}

static volatile uint64_t *control(uint64_t offset)
{
	return (volatile uint64_t *)(VIRTIO_CONTROL + offset);
}

static uint64_t look(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* ---- The harts that attack ---- */

/* They leave the processor to others as long as it is not their turn. */
static void sleep_through(uint64_t seen)
{
	while (look(&round) == seen)
		__asm__ volatile("wfi" ::: "memory");
	__asm__ volatile("csrc sip, 2" ::: "memory");
}

_Noreturn static void attack(uint64_t hart)
{
	uint64_t seen = 0;

	__asm__ volatile("csrw stvec, %0\n	csrs sie, 2" ::"r"(vector));
	for (;;) {
		sleep_through(seen);
		seen = look(&round);
		while (look(&round) == seen && seen & 1)
			virtio_attack_once(hart);
		if (seen & 1)
			seen++;
		__atomic_fetch_add(&parked, 1, __ATOMIC_SEQ_CST);
	}
}

/* ---- The hart that uses ---- */

static void use_others(void)
{
	for (unsigned int i = 0; i < VIRTIO_DEVICES; i++)
		if (i != virtio_attack.device)
			virtio_try(i);
	*control(VIRTIO_GOOD) = VIRTIO_DEVICES - 1;
}

static void next_victim(void)
{
	virtio_attack.device = virtio_attack.device % (VIRTIO_DEVICES - 1) + 1;
	virtio_listen(virtio_attack.device, false);
	for (unsigned int i = 0; i < sizeof(virtio_attack.ring) / sizeof(virtio_attack.ring[0]);
	     i++)
		virtio_attack.ring[i].desc = 0;
	for (unsigned int i = 0; i < VIRTIO_BAITS; i++)
		virtio_attack.bait[i] = *control(VIRTIO_BAIT);
}

static void let_attack(uint64_t rings)
{
	__atomic_store_n(&parked, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);
	virtio_need(!hatch_guest_call(SBI_IPI, 0, (1 << VIRTIO_HARTS) - 2, 0).a0, VIRTIO_REFUSED,
		    0);
	while (look(&virtio_attack.rings) < rings)
		use_others();
	__atomic_fetch_add(&round, 1, __ATOMIC_SEQ_CST);
	while (look(&parked) < OTHERS)
		use_others();
}

/* With and without what changes how a queue is read. */
static void recover(void)
{
	static const uint64_t features[] = { 0, FEATURE_EVENTS, FEATURE_INDIRECT };

	for (unsigned int i = 0; i < 3; i++) {
		virtio_begin(virtio_attack.device, features[i]);
		virtio_try(virtio_attack.device);
	}
	*control(VIRTIO_GOOD) = 3;
}

static void start_others(void)
{
	static uint64_t begin[VIRTIO_HARTS][2]; /* sp, pc */

	for (uint64_t i = 1; i < VIRTIO_HARTS; i++) {
		begin[i][0] = (uint64_t)(stacks[i] + sizeof(stacks[i]));
		begin[i][1] = (uint64_t)attack;
		virtio_need(!hatch_guest_call(SBI_HSM, 0, i, VIRTIO_ENTRY, (uint64_t)begin[i]).a0,
			    VIRTIO_REFUSED, 0);
	}
}

int main(void)
{
	uint64_t goal = *control(VIRTIO_RINGS);

	__asm__ volatile("csrr %0, stvec" : "=r"(vector));
	for (unsigned int i = 0; i < VIRTIO_DEVICES; i++)
		virtio_begin(i, 0);
	start_others();
	while (virtio_attack.rings < goal) {
		next_victim();
		let_attack(virtio_attack.rings + OF_ROUND);
		recover();
		*control(VIRTIO_RINGS) = virtio_attack.rings;
	}
	return VIRTIO_FINE;
}
