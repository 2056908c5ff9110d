/* SPDX-License-Identifier: MIT */
/* A device that is not there: the guest reads it, the host catches the read and answers. */
#include <stdio.h>

#include <hatch/board.h>
#include <hatch/handlers/exit.h>
#include <hatch/hatch.h>

/* The guest's whole program: read the counter three times, exit with what was read last. */
extern const char program[], program_end[];
__asm__("program:	li t0, 0x10000000; lw a0, (t0); lw a0, (t0); lw a0, (t0)\n"
	"		li a7, 0x08484154; li a6, 0; ecall\n" /* HATCH_EID, HATCH_EXIT */
	"program_end:");

static enum hatch_verdict on_counter(void *n, const struct hatch_event *ev, struct hatch_cont *k)
{
	printf("caught: a load of %u bytes at 0x%lx\n", ev->mmio.width, (long)ev->mmio.gpa.addr);
	return hatch_resume(k, ++*(int *)n); /* the load is done: the guest goes on */
}

int main(void)
{
	static struct hatch_guest guest; /* its memory */
	static struct hatch_vcpu vcpu;	 /* its registers */
	static struct hatch_try t;
	const hatch_gpa ram = hatch_gpa_of(0x80000000);
	int count = 0;
	struct hatch_catch counter = HATCH_ON_MMIO(0x10000000, 4, on_counter, &count);
	struct hatch_catch leave = HATCH_ON_EXIT();

	if (hatch_guest_init(&guest, hatch_board_memory()) ||
	    hatch_guest_add_ram(&guest, ram, 1 << 20) ||
	    hatch_guest_write(&guest, ram, program, program_end - program) ||
	    hatch_vcpu_init(&vcpu, &guest) || hatch_try_init(&t, &vcpu) ||
	    hatch_catch_add(&t.scope, &counter) || hatch_catch_add(&t.scope, &leave))
		return 1;
	hatch_vcpu_reset(&vcpu, ram, 0, 0);
	hatch_try_run(&t);
	printf("the try: %s with status %ld\n", hatch_outcome_name(t.outcome), t.status);
	return t.outcome == HATCH_DONE ? 0 : 1;
}
