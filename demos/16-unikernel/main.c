/* SPDX-License-Identifier: MIT */
/*
 * Guests without devices: a clock, a console, a disk, a network and a way to wait are eight calls,
 * caught by one clause. Three guests take turns on one hart: whoever waits has left its try.
 */
#include "demo.h"

#include <hatch/handlers/unikernel.h>

#define SECTOR	512
#define SECTORS 64

struct node {
	struct demo demo;
	struct hatch_unikernel u;
};

static uint64_t wall_ns(void *arg)
{
	(void)arg;
	return hatch_board_wall_ns();
}

static void write(void *arg, const void *bytes, size_t size)
{
	(void)arg;
	printf("%.*s", (int)size, (const char *)bytes);
}

static void make(struct node *node, uint64_t address)
{
	demo_begin(&node->demo);
	hatch_unikernel_init(&node->u, wall_ns, NULL);
	node->u.write = write;
	node->u.net.address = address;
	demo_need(hatch_unikernel_add(&node->u, &node->demo.t.scope), "its eight calls");
}

/* Two ends of a wire: what one sends the other receives. */
static void join(struct node *a, struct node *b)
{
	a->u.net.send = b->u.net.send = hatch_unikernel_receive;
	a->u.net.arg = &b->u;
	b->u.net.arg = &a->u;
}

/* The program from its start. Only the disk knows of a life before. */
static void boot(struct node *node)
{
	const hatch_gpa start = hatch_gpa_of(HATCH_GUEST_RAM);

	demo_need(hatch_guest_write(&node->demo.guest, start, guest_image,
				    guest_image_end - guest_image),
		  "image");
	hatch_vcpu_reset(&node->demo.vcpu, start, 0, 0);
	hatch_unikernel_reset(&node->u);
	hatch_unikernel_greet(&node->u, &node->demo.vcpu);
}

/* True: it waits. False: it has ended, rightly or not. */
static bool run(struct node *node)
{
	return hatch_try_run(&node->demo.t) == HATCH_UNWOUND && hatch_unikernel_waits(&node->u);
}

/* Both from their start, until one has ended. */
static void talk(struct node *store, struct node *client)
{
	struct node *const pair[] = { store, client };
	bool both = true;

	join(store, client);
	boot(store);
	boot(client);
	for (unsigned int i = 0; both; i++)
		if (hatch_unikernel_ready(&pair[i % 2]->u))
			both = run(pair[i % 2]);
}

int main(void)
{
	static struct node store, first, second;
	static uint8_t disk[SECTORS * SECTOR];

	make(&store, 0x020000000001);
	make(&first, 0x020000000002);
	make(&second, 0x020000000003);
	demo_need(hatch_unikernel_disk(&store.u, disk, SECTOR, SECTORS), "disk");
	talk(&store, &first);
	printf("host: the power fails, everything starts again\n");
	talk(&store, &second);
	hatch_guest_fini(&store.demo.guest);
	return demo_end(&first.demo) | demo_end(&second.demo);
}
