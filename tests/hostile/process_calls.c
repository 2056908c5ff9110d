/* SPDX-License-Identifier: MIT */
/* Malicious Linux programs: random system calls, and what is left of them when they are undone. */
#include "process_world.h"

GUEST(caller, "	la s0, caller_seed\n"
	      "	ld s0, 0(s0)\n"
	      "	la s1, caller_baits\n"
	      "	li s2, 460\n"
	      "1:	jal pick\n"
	      "	mv a0, t1\n"
	      "	jal pick\n"
	      "	mv a1, t1\n"
	      "	jal pick\n"
	      "	mv a2, t1\n"
	      "	jal pick\n"
	      "	mv a3, t1\n"
	      "	jal pick\n"
	      "	mv a4, t1\n"
	      "	jal pick\n"
	      "	mv a5, t1\n"
	      "	srli a7, s0, 9\n"
	      "	remu a7, a7, s2\n"
	      "	li t0, 93\n" /* no exit */
	      "	beq a7, t0, 1b\n"
	      "	li t0, 94\n"
	      "	beq a7, t0, 1b\n"
	      "	ecall\n"
	      "	j 1b\n"
	      "pick:	slli t0, s0, 13\n"
	      "	xor s0, s0, t0\n"
	      "	srli t0, s0, 7\n"
	      "	xor s0, s0, t0\n"
	      "	slli t0, s0, 17\n"
	      "	xor s0, s0, t0\n"
	      "	mv t1, s0\n"
	      "	andi t0, s0, 7\n"
	      "	beqz t0, 2f\n"
	      "	srli t1, s0, 16\n"
	      "	andi t1, t1, 31\n"
	      "	slli t1, t1, 3\n"
	      "	add t1, t1, s1\n"
	      "	ld t1, 0(t1)\n"
	      "2:	ret\n"
	      "	.balign 8\n"
	      "caller_seed:\n"
	      "	.dword 0\n"
	      "caller_baits:\n"
	      "	.dword 0, 1, 2, 3, 4, 8, 64, 4096, 0x10000, 0x10200, 0x20000, 0x20ff8, 0x21000\n"
	      "	.dword 0x24000, 0xfffff000, 0xfffffff8, 0xfffffe00, 0x100000000, -1, -8, -100\n"
	      "	.dword 0x1000, 0x7fffffff, 0x8000000000000000, 0x7fffffffffffffff, 0x32, 0x22\n"
	      "	.dword 0x10022, 0x80200000, 0x8000000000, 0x10000000000, 0x20000000000\n");
extern const uint8_t caller_seed[];

/* The archive is what the program is read from, page by page. */
static void set_seed(void)
{
	uint64_t seed = check_random() | 1;
	const uint8_t *code = files.file[1].data + CODE_OFFSET;

	memcpy((void *)(uintptr_t)(code + (caller_seed - caller)), &seed, sizeof(seed));
}

static void random_calls(void)
{
	uint64_t calls = 0, denied = 0;
	unsigned int ended = 0, late = 0;

	check_seed(15);
	printed = 0;
	for (unsigned int i = 0; i < 60; i++) {
		begin(caller, caller_end);
		set_seed();
		if (run(SHORT) == LATE)
			late++;
		else
			ended++;
		calls += process.state.calls;
		denied += process.state.denied;
		finish();
	}
	check_say("%llu calls, %llu denied, %llu bytes printed; %u programs ended, %u were stopped",
		  (unsigned long long)calls, (unsigned long long)denied,
		  (unsigned long long)printed, ended, late);
	expect(calls > 10000 && denied > 1000);
}

/* Whatever they did, it is undone: the same program can do it again, and again. */
static void undone_calls(void)
{
	static struct hatch_process_state state;
	static struct hatch_frame frame;
	unsigned int late = 0;

	check_seed(51);
	undoing = true;
	for (unsigned int i = 0; i < 60; i++) {
		if (i % 10 == 0) {
			begin(caller, caller_end);
			set_seed();
			t.transactional = i != 0; /* the first one begins in the middle */
			run(SHORT / 4);
			t.transactional = true;
			state = process.state;
			frame = vcpu.frame;
		}
		late += run(SHORT / 4) == LATE;
		expect(!memcmp(&process.state, &state, sizeof(state)));
		expect(!memcmp(vcpu.frame.x, frame.x, sizeof(frame.x)));
		expect_equal(vcpu.frame.pc, frame.pc);
		if (i % 10 == 9)
			finish();
	}
	undoing = false;
	check_say("%u of 60 runs were stopped in the middle", late);
}

int main(void)
{
	static const struct check checks[] = {
		CHECK(random_calls),
		CHECK(undone_calls),
	};

	return check_all(checks, sizeof(checks) / sizeof(checks[0]));
}
