/* SPDX-License-Identifier: MIT */
/*
 * What harts want of each other's vcpus: interrupts, fences, to come back.
 *
 * The journey: the sender writes into the vcpu's post; the first to do so since it was emptied
 * sends the hart an interrupt. No guest can hold that off, so the hart comes to the host (fast.c;
 * for a kick dispatch.c), or finds the interrupt pending when it is about to enter the guest; it
 * takes what is there, and goes on. A vcpu that is on no hart gets interrupts into memory, and
 * fences when it is loaded the next time.
 */
#include "post.h"
#include "hart.h"

static bool is_here(const struct hatch_vcpu *vcpu)
{
	return hatch_hart_this()->current == vcpu;
}

/* With the lock: something is in the post. Returns the hart that has to be told, or NULL. */
static struct hatch_hart *fill(struct hatch_vcpu *vcpu)
{
	bool told = vcpu->post.full;

	__atomic_store_n(&vcpu->post.full, true, __ATOMIC_RELAXED);
	return told ? NULL : vcpu->hart;
}

static void tell(const struct hatch_hart *hart)
{
	if (hart)
		hatch_hart_kick(hart);
}

/* The vcpu was on no hart when it was sent this. */
static void wake(const struct hatch_vcpu *vcpu)
{
	if (vcpu->woken)
		vcpu->woken(vcpu->woken_arg);
}

/* ---- Interrupts ---- */

/* With the lock. `set` and `clear`: one of them is 0. */
static struct hatch_hart *post_hvip(struct hatch_vcpu *vcpu, uint64_t set, uint64_t clear)
{
	struct hatch_post *post = &vcpu->post;

	if (!vcpu->hart) {
		vcpu->hvip = (vcpu->hvip | set) & ~clear;
		return NULL;
	}
	post->raise = (post->raise | set) & ~clear;
	post->lower = (post->lower | clear) & ~set;
	return fill(vcpu);
}

static void change_hvip(struct hatch_vcpu *vcpu, uint64_t set, uint64_t clear)
{
	struct hatch_hart *told;
	bool rests;

	if (is_here(vcpu)) {
		hatch_post_take(vcpu); /* what was sent before comes before */
		hatch_hart_hvip(set, clear);
		return;
	}
	hatch_lock_acquire(&vcpu->post.lock);
	rests = !vcpu->hart;
	told = post_hvip(vcpu, set, clear);
	hatch_lock_release(&vcpu->post.lock);
	tell(told);
	if (rests && set)
		wake(vcpu);
}

void hatch_vcpu_raise(struct hatch_vcpu *vcpu, uint64_t hvip)
{
	change_hvip(vcpu, hvip, 0);
}

void hatch_vcpu_lower(struct hatch_vcpu *vcpu, uint64_t hvip)
{
	change_hvip(vcpu, 0, hvip);
}

/* ---- Fences ---- */

static bool is_same(const struct hatch_fence *a, const struct hatch_fence *b)
{
	return a->kind == b->kind && a->start.addr == b->start.addr && a->size == b->size &&
	       a->asid == b->asid;
}

/* With the lock. Two that differ become one that covers both, and everything else. */
static void add_fence(struct hatch_post *post, const struct hatch_fence *fence)
{
	const struct hatch_fence all = { .kind = HATCH_FENCE_VMA, .size = UINT64_MAX };

	post->sent++;
	if (fence->kind == HATCH_FENCE_I) {
		post->fence_i = true;
		return;
	}
	post->vma = !post->fence_vma || is_same(&post->vma, fence) ? *fence : all;
	post->fence_vma = true;
}

/* With the lock: a fence that is not in force yet, and that its hart may overlook. */
static bool is_unaware(const struct hatch_vcpu *vcpu, uint64_t number)
{
	return vcpu->hart && !vcpu->post.away && (int64_t)(number - vcpu->post.taken) > 0;
}

uint64_t hatch_vcpu_fence_send(struct hatch_vcpu *vcpu, const struct hatch_fence *fence)
{
	struct hatch_post *post = &vcpu->post;
	struct hatch_hart *told;
	uint64_t number;

	if (is_here(vcpu)) {
		hatch_hart_fence(fence);
		return 0;
	}
	hatch_lock_acquire(&post->lock);
	add_fence(post, fence);
	told = fill(vcpu);
	number = is_unaware(vcpu, post->sent) ? post->sent : 0;
	hatch_lock_release(&post->lock);
	tell(told);
	return number;
}

static bool is_awaited(struct hatch_vcpu *vcpu, uint64_t number)
{
	bool unaware;

	hatch_lock_acquire(&vcpu->post.lock);
	unaware = is_unaware(vcpu, number);
	hatch_lock_release(&vcpu->post.lock);
	return unaware;
}

/* Two harts that wait for each other serve each other. */
void hatch_vcpu_fence_await(struct hatch_vcpu *vcpu, uint64_t number)
{
	while (number && is_awaited(vcpu, number))
		if (hatch_hart_this()->current)
			hatch_post_take(hatch_hart_this()->current);
}

/* ---- The vcpu's own hart ---- */

static void take(struct hatch_post *post)
{
	if (post->raise | post->lower)
		hatch_hart_hvip(post->raise, post->lower);
	if (post->fence_i)
		hatch_hart_fence(&(struct hatch_fence){ .kind = HATCH_FENCE_I });
	if (post->fence_vma)
		hatch_hart_fence(&post->vma);
	post->raise = post->lower = 0;
	post->fence_i = post->fence_vma = false;
	post->taken = post->sent;
	__atomic_store_n(&post->full, false, __ATOMIC_RELAXED);
}

void hatch_post_take(struct hatch_vcpu *vcpu)
{
	struct hatch_post *post = &vcpu->post;

	if (!__atomic_load_n(&post->full, __ATOMIC_RELAXED))
		return;
	hatch_lock_acquire(&post->lock);
	take(post);
	hatch_lock_release(&post->lock);
}

uint64_t hatch_post_arrive(struct hatch_vcpu *vcpu, struct hatch_hart *hart)
{
	uint64_t hvip;

	hatch_lock_acquire(&vcpu->post.lock);
	vcpu->hart = hart;
	vcpu->post.away = false;
	hvip = vcpu->hvip;
	hatch_lock_release(&vcpu->post.lock);
	return hvip;
}

void hatch_post_leave(struct hatch_vcpu *vcpu, uint64_t hvip)
{
	struct hatch_post *post = &vcpu->post;

	hatch_lock_acquire(&post->lock);
	vcpu->hart = NULL;
	vcpu->hvip = (hvip | post->raise) & ~post->lower;
	post->raise = post->lower = 0;
	hatch_lock_release(&post->lock);
}

void hatch_post_away(struct hatch_vcpu *vcpu, bool away)
{
	hatch_lock_acquire(&vcpu->post.lock);
	vcpu->post.away = away;
	hatch_lock_release(&vcpu->post.lock);
	if (!away)
		hatch_post_take(vcpu);
}

/* ---- To come back ---- */

void hatch_vcpu_kick(struct hatch_vcpu *vcpu)
{
	struct hatch_hart *hart;

	hatch_lock_acquire(&vcpu->post.lock);
	vcpu->post.kicked = true;
	hart = vcpu->hart;
	hatch_lock_release(&vcpu->post.lock);
	tell(hart);
	if (!hart)
		wake(vcpu);
}

bool hatch_post_is_kick(struct hatch_vcpu *vcpu)
{
	bool kicked;

	hatch_lock_acquire(&vcpu->post.lock);
	kicked = vcpu->post.kicked;
	vcpu->post.kicked = false;
	hatch_lock_release(&vcpu->post.lock);
	return kicked;
}
