/* SPDX-License-Identifier: MIT */
#include "demo.h"

#define RAM_SIZE (1UL << 20) /* bytes */

void demo_need(int error, const char *step)
{
	if (!error)
		return;
	printf("%s: %s: %s\n", step, hatch_error_name(error), hatch_error_text(error));
	exit(1);
}

void demo_begin(struct demo *demo)
{
	const hatch_gpa ram = hatch_gpa_of(HATCH_GUEST_RAM);
	const size_t size = guest_image_end - guest_image;

	demo_need(hatch_guest_init(&demo->guest, hatch_board_memory()), "guest");
	demo_need(hatch_guest_add_ram(&demo->guest, ram, RAM_SIZE), "RAM");
	demo_need(hatch_guest_write(&demo->guest, ram, guest_image, size), "image");
	demo_need(hatch_vcpu_init(&demo->vcpu, &demo->guest), "vcpu");
	hatch_vcpu_reset(&demo->vcpu, ram, 0, 0);
	demo_need(hatch_try_init(&demo->t, &demo->vcpu), "try");
	demo->on_exit = HATCH_ON_EXIT();
	demo_catch(demo, &demo->on_exit);
}

void demo_catch(struct demo *demo, struct hatch_catch *clause)
{
	const struct hatch_catch *other = hatch_catch_conflict(&demo->t.scope, clause);

	if (other)
		printf("%s would catch what %s catches already\n", clause->name, other->name);
	demo_need(hatch_catch_add(&demo->t.scope, clause), clause->name);
}

int demo_end(struct demo *demo)
{
	const struct hatch_try *t = &demo->t;
	char line[240];

	printf("the try: %s\n", hatch_try_format(t, line, sizeof(line)));
	hatch_guest_fini(&demo->guest);
	return t->outcome == HATCH_DONE ? (int)t->status : 1;
}
