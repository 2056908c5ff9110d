/* SPDX-License-Identifier: MIT */
/*
 * A guest is tried; what it throws is caught; it is resumed with a value.
 */
#include <stdio.h>
#include <stdlib.h>

#include <hatch/abi.h>
#include <hatch/board.h>
#include <hatch/try.h>

#define RAM_SIZE (1UL << 20) /* bytes */

extern const uint8_t guest_image[], guest_image_end[];

static struct hatch_guest guest;
static struct hatch_vcpu vcpu;
static struct hatch_try first;

static void need(int error, const char *step)
{
	if (!error)
		return;
	printf("%s: %s: %s\n", step, hatch_error_name(error), hatch_error_text(error));
	exit(1);
}

/* A world for the guest (RAM with its program in it), and someone to live in it (a vcpu). */
static void prepare(void)
{
	const hatch_gpa ram = hatch_gpa_of(HATCH_GUEST_RAM);

	need(hatch_guest_init(&guest, hatch_board_memory()), "guest");
	need(hatch_guest_add_ram(&guest, ram, RAM_SIZE), "RAM");
	need(hatch_guest_write(&guest, ram, guest_image, guest_image_end - guest_image), "image");
	need(hatch_vcpu_init(&vcpu, &guest), "vcpu");
	hatch_vcpu_reset(&vcpu, ram, 0, 0);
	need(hatch_try_init(&first, &vcpu), "try");
}

static uint64_t next_number(uint64_t number)
{
	printf("caught: what comes after %llu?\n", (unsigned long long)number);
	return number + 1;
}

int main(void)
{
	prepare();
	printf("entering the guest\n");
	/* clang-format off */
	hatch_try (&first, ev, k) {
		hatch_catch (hypercall, HATCH_DEMO_EID)
			hatch_resume(k, next_number(ev->hypercall.arg[0]));
		hatch_catch (hypercall, HATCH_EID)
			hatch_finish(k, (long)ev->hypercall.arg[0]);
		hatch_otherwise
			hatch_unwind(k, -1);
	}
	/* clang-format on */
	printf("the try: %s with status %ld\n", hatch_outcome_name(first.outcome), first.status);
	hatch_guest_fini(&guest);
	return first.outcome == HATCH_DONE ? 0 : 1;
}
