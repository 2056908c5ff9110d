/* SPDX-License-Identifier: MIT */
/*
 * A store of keys and values, and those who ask it: with a disk the program is the store, without
 * one it is a client. No driver, no interrupt, no device tree: eight calls are all there is below.
 *
 * A question is a key ("tea") or a key with a new value ("tea=green"). The answer is what the store
 * knows then; a key alone is one that it does not know.
 */
#include <string.h>

#include "unikernel.h"

#define TEXT	  50
#define TYPE	  0xb588 /* 0x88b5, for local experiments (IEEE 802), as it stands in a frame */
#define MARK	  0x31676f6c68637461
#define SECTOR	  4096	     /* bytes: the largest there is */
#define PATIENCE  1000000000 /* nanoseconds */
#define TRIES	  3
#define BROADCAST 0xffffffffffff

struct __attribute__((packed)) frame {
	uint8_t to[6], from[6];
	uint16_t type;
	char text[TEXT]; /* ends with a 0, if it is from one of us */
};

/* One sector of the log. The newest record of a key counts. */
union record {
	struct {
		uint64_t mark, sum;
		char text[TEXT];
	};
	uint8_t bytes[SECTOR];
};

static union record record;
static struct frame frame;
static uint64_t own, sector_size, room, used; /* room, used: sectors of the log */

static void put_address(uint8_t *to, uint64_t address)
{
	for (int i = 6; i--; address >>= 8)
		to[i] = (uint8_t)address;
}

static bool send(const uint8_t *to)
{
	memcpy(frame.to, to, sizeof(frame.to));
	put_address(frame.from, own);
	frame.type = TYPE;
	return !unikernel_net_write(&frame, sizeof(frame));
}

/* Whether a frame of ours came until then; what others sent is dropped. */
static bool receive(uint64_t until)
{
	while (unikernel_poll(until))
		if (unikernel_net_read(&frame, sizeof(frame)) == sizeof(frame) &&
		    frame.type == TYPE && !frame.text[TEXT - 1])
			return true;
	return false;
}

static void say(const char *who, const char *what)
{
	unikernel_puts(who);
	unikernel_puts(what);
	unikernel_puts("\n");
}

/* ---- the store -------------------------------------------------------------------------------- */

static uint64_t sum_of(const char *text)
{
	uint64_t sum = MARK;

	for (int i = 0; i < TEXT; i++)
		sum = (sum ^ (uint8_t)text[i]) * 0x100000001b3;
	return sum;
}

static bool load(uint64_t sector)
{
	return !unikernel_block_read(sector, record.bytes, sector_size) && record.mark == MARK &&
	       record.sum == sum_of(record.text);
}

static bool append(const char *text)
{
	memset(record.bytes, 0, sector_size);
	record.mark = MARK;
	memcpy(record.text, text, TEXT);
	record.sum = sum_of(record.text);
	if (used == room || unikernel_block_write(used, record.bytes, sector_size))
		return false;
	used++;
	return true;
}

static bool has_value(const char *text)
{
	while (*text && *text != '=')
		text++;
	return *text;
}

static bool same_key(const char *a, const char *b)
{
	while (*a && *a != '=' && *a == *b)
		a++, b++;
	return (!*a || *a == '=') && (!*b || *b == '=');
}

/* The newest record of the key into `text`, if there is one. */
static void look_up(char *text)
{
	for (uint64_t sector = used; sector--;)
		if (load(sector) && same_key(record.text, text)) {
			memcpy(text, record.text, TEXT);
			return;
		}
}

static _Noreturn void serve(void)
{
	while (used < room && load(used))
		used++;
	say("store: ", used ? "the disk has a log" : "the disk is empty");
	for (;;) {
		uint8_t asker[6];

		receive(UNIKERNEL_FOREVER);
		memcpy(asker, frame.from, sizeof(asker));
		if (has_value(frame.text))
			say("store: ", append(frame.text) ? "written to the disk" : "no room");
		else
			look_up(frame.text);
		send(asker);
	}
}

/* ---- the client ------------------------------------------------------------------------------- */

/* The answer is then in the frame. */
static bool ask(const char *question, size_t size)
{
	uint8_t everybody[6];

	put_address(everybody, BROADCAST);
	for (int i = 0; i < TRIES; i++) {
		memset(frame.text, 0, TEXT);
		memcpy(frame.text, question, size);
		if (send(everybody) && receive(unikernel_walltime() + PATIENCE))
			return true;
		say("client: ", "no answer");
	}
	return false;
}

static int inquire(void)
{
	if (!ask("tea", 3))
		return 1;
	say("client: the store says ", frame.text);
	if (!has_value(frame.text)) {
		if (!ask("tea=green", 9))
			return 1;
		say("client: the store says ", frame.text);
	}
	return 0;
}

int main(uint64_t sectors, uint64_t bytes, uint64_t address)
{
	own = address;
	sector_size = bytes;
	room = sectors;
	if (sectors)
		serve();
	unikernel_halt(inquire());
}
