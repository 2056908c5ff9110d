/* SPDX-License-Identifier: MIT */
/* A process's system calls about itself: who it is, its limits, its signals, its end. */
#include <string.h>

#include "process_internal.h"

enum limit_kind {
	LIMIT_DATA = 2,
	LIMIT_STACK = 3,
	LIMIT_FILES = 7,
	LIMIT_MEMORY = 9,
	LIMIT_KINDS = 16,
};

enum futex_command {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_COMMAND = 0x7f,
};

enum {
	SIGNAL_SET = 8,	  /* bytes of a set of signals */
	UNAME_SIZE = 65,  /* bytes of each of the six texts */
	USAGE_SIZE = 144, /* of struct rusage */
	TIMES_SIZE = 32,  /* of struct tms */
	NAME_CALL = 15,	  /* PR_SET_NAME */
	RANDOM_MOST = 4096,
};

/* A number that is not 0 for any state, and differs from the one before (xorshift64*). */
uint64_t process_random(struct hatch_process *p)
{
	uint64_t x = p->state.random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	p->state.random = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- Its end ---- */

static int64_t die(struct hatch_process *p, int signal)
{
	p->state.signal = signal;
	return PROCESS_ENDED;
}

int64_t process_exit(struct hatch_process *p, const uint64_t a[8])
{
	(void)a;
	return die(p, 0);
}

/* What the default action of is to be ignored. */
static bool is_harmless(uint64_t signal)
{
	return signal == LINUX_SIGCHLD || signal == LINUX_SIGCONT || signal == LINUX_SIGURG ||
	       signal == LINUX_SIGWINCH;
}

/* To itself only. What it does not ignore ends it: a handler of its own is never called. */
static int64_t send(struct hatch_process *p, uint64_t to, uint64_t signal)
{
	const uint64_t ignore = 1; /* SIG_IGN */

	if (signal > HATCH_PROCESS_SIGNAL)
		return -LINUX_EINVAL;
	if ((int32_t)to != PROCESS_ID && (int32_t)to != 0)
		return -LINUX_ESRCH;
	if (!signal || is_harmless(signal) || p->state.action[signal - 1][0] == ignore)
		return 0;
	return die(p, (int)signal);
}

int64_t process_kill(struct hatch_process *p, const uint64_t a[8])
{
	return send(p, a[0], a[1]);
}

int64_t process_tgkill(struct hatch_process *p, const uint64_t a[8])
{
	return (int32_t)a[0] == PROCESS_ID ? send(p, a[1], a[2]) : -LINUX_ESRCH;
}

/* ---- Signals: kept in mind, never delivered ---- */

int64_t process_sigaction(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t action[3], *kept;
	int error = 0;

	if (!a[0] || a[0] > HATCH_PROCESS_SIGNAL || a[3] != SIGNAL_SET)
		return -LINUX_EINVAL;
	kept = p->state.action[a[0] - 1];
	if (a[1])
		error = process_copy_in(p, a[1], action, sizeof(action));
	if (!error && a[2])
		error = process_copy_out(p, a[2], kept, sizeof(action));
	if (!error && a[1])
		memcpy(kept, action, sizeof(action));
	return error;
}

/* There is never another stack than the one, and none is needed. */
int64_t process_sigaltstack(struct hatch_process *p, const uint64_t a[8])
{
	const uint64_t disabled[3] = { 0, 2, 0 }; /* SS_DISABLE */

	return a[1] ? process_copy_out(p, a[1], disabled, sizeof(disabled)) : 0;
}

static int change_mask(uint64_t *mask, uint64_t how, uint64_t set)
{
	enum { BLOCK, UNBLOCK, SET_MASK };

	switch (how) {
	case BLOCK:
		*mask |= set;
		return 0;
	case UNBLOCK:
		*mask &= ~set;
		return 0;
	case SET_MASK:
		*mask = set;
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

int64_t process_sigprocmask(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t set, old = p->state.blocked;
	int error = 0;

	if (a[3] != SIGNAL_SET)
		return -LINUX_EINVAL;
	if (a[1])
		error = process_copy_in(p, a[1], &set, sizeof(set));
	if (!error && a[1])
		error = change_mask(&p->state.blocked, a[0], set);
	if (!error && a[2])
		error = process_copy_out(p, a[2], &old, sizeof(old));
	return error;
}

/* ---- Limits ---- */

static uint64_t limit_of(const struct hatch_process *p, uint64_t kind)
{
	switch (kind) {
	case LIMIT_STACK:
		return HATCH_PROCESS_STACK;
	case LIMIT_FILES:
		return HATCH_PROCESS_OPEN;
	case LIMIT_DATA:
	case LIMIT_MEMORY:
		return p->config.memory;
	default:
		return UINT64_MAX;
	}
}

static int64_t tell_limit(struct hatch_process *p, uint64_t kind, uint64_t to)
{
	uint64_t limit[2]; /* soft and hard */

	if (kind >= LIMIT_KINDS)
		return -LINUX_EINVAL;
	limit[0] = limit[1] = limit_of(p, kind);
	return to ? process_copy_out(p, to, limit, sizeof(limit)) : 0;
}

int64_t process_prlimit64(struct hatch_process *p, const uint64_t a[8])
{
	if ((int32_t)a[0] != 0 && (int32_t)a[0] != PROCESS_ID)
		return -LINUX_ESRCH;
	return a[2] ? -LINUX_EPERM : tell_limit(p, a[1], a[3]);
}

int64_t process_getrlimit(struct hatch_process *p, const uint64_t a[8])
{
	return tell_limit(p, a[0], a[1]);
}

int64_t process_sysinfo(struct hatch_process *p, const uint64_t a[8])
{
	/* uptime, three loads, total and free RAM, shared, buffers, swap (2), processes, high (2), unit */
	uint64_t info[14] = {
		[4] = p->config.memory, [5] = p->config.memory - p->state.mapped, [10] = 1, [13] = 1
	};

	return process_copy_out(p, a[0], info, sizeof(info));
}

int64_t process_getrusage(struct hatch_process *p, const uint64_t a[8])
{
	const uint8_t nothing[USAGE_SIZE] = { 0 };

	return process_copy_out(p, a[1], nothing, sizeof(nothing));
}

int64_t process_times(struct hatch_process *p, const uint64_t a[8])
{
	const uint8_t nothing[TIMES_SIZE] = { 0 };

	return a[0] ? process_copy_out(p, a[0], nothing, sizeof(nothing)) : 0;
}

/* ---- Who it is ---- */

int64_t process_uname(struct hatch_process *p, const uint64_t a[8])
{
	static const char names[6][UNAME_SIZE] = {
		"Linux", "hatch", "6.1.0-hatch", "#1", "riscv64", "(none)",
	};

	return process_copy_out(p, a[0], names, sizeof(names));
}

int64_t process_getpid(struct hatch_process *p, const uint64_t a[8])
{
	(void)p;
	(void)a;
	return PROCESS_ID;
}

int64_t process_umask(struct hatch_process *p, const uint64_t a[8])
{
	uint32_t old = p->state.mask;

	p->state.mask = (uint32_t)a[0] & 0777;
	return old;
}

int64_t process_prctl(struct hatch_process *p, const uint64_t a[8])
{
	(void)p;
	return a[0] == NAME_CALL ? 0 : -LINUX_EINVAL;
}

/* One hart. */
int64_t process_affinity(struct hatch_process *p, const uint64_t a[8])
{
	const uint64_t first = 1;
	int error;

	if (a[1] < sizeof(first))
		return -LINUX_EINVAL;
	error = process_copy_out(p, a[2], &first, sizeof(first));
	return error ? error : (int64_t)sizeof(first);
}

int64_t process_getrandom(struct hatch_process *p, const uint64_t a[8])
{
	uint64_t size = a[1] < RANDOM_MOST ? a[1] : RANDOM_MOST;

	for (uint64_t done = 0; done < size; done += sizeof(uint64_t)) {
		uint64_t number = process_random(p), rest = size - done;
		int error = process_copy_out(p, a[0] + done, &number,
					     rest < sizeof(number) ? rest : sizeof(number));

		if (error)
			return error;
	}
	return (int64_t)size;
}

/* There is one thread: nobody waits to be woken, and nobody could wake whoever waits. */
int64_t process_futex(struct hatch_process *p, const uint64_t a[8])
{
	uint32_t value;
	int error;

	switch (a[1] & FUTEX_COMMAND) {
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		return 0;
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		error = process_copy_in(p, a[0], &value, sizeof(value));
		if (error)
			return error;
		if (value != (uint32_t)a[2])
			return -LINUX_EAGAIN;
		return a[3] ? -LINUX_ETIMEDOUT : -LINUX_EDEADLK;
	default:
		return -LINUX_ENOSYS;
	}
}

/* ---- Many calls, one answer ---- */

int64_t process_zero(struct hatch_process *p, const uint64_t a[8])
{
	(void)p;
	(void)a;
	return 0;
}

int64_t process_refuse_permission(struct hatch_process *p, const uint64_t a[8])
{
	(void)p;
	(void)a;
	return -LINUX_EPERM;
}

int64_t process_refuse_read_only(struct hatch_process *p, const uint64_t a[8])
{
	(void)p;
	(void)a;
	return -LINUX_EROFS;
}
