/* SPDX-License-Identifier: MIT */
#include "console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <hatch/board.h>

enum { COMMAND = 0x1d, LINE = 400 };

/*
 * Invariants: `lock` guards the rest. A guest that is not in front has its line in `line`, `size`
 * bytes, until it is complete; what the one in front writes comes out at once. `half` is the guest
 * whose line stands on the console without its end, or NULL.
 */
static struct {
	struct hatch_lock lock;
	unsigned int front;
	bool command; /* the last key was Ctrl-] */
	struct guest *half;
	struct {
		char line[LINE];
		size_t size;
	} of[GUESTS_MOST];
} console;

static void put(const char *text, size_t size)
{
	hatch_board_console_write(text, size);
}

/* Whoever wrote half a line before has to go on with it in a new one. */
static void end_half(const struct guest *writer)
{
	if (console.half && console.half != writer)
		put("\r\n", 2);
	if (console.half != writer)
		console.half = NULL;
}

static void put_name(const struct guest *guest)
{
	char name[sizeof(guest->name) + 4];
	int size = snprintf(name, sizeof(name), "%s| ", guest->name);

	put(name, (size_t)size);
}

/* A piece of a line, its end included if that is there. */
static void put_piece(struct guest *guest, const char *piece, size_t size)
{
	end_half(guest);
	if (!console.half)
		put_name(guest);
	put(piece, size);
	console.half = piece[size - 1] == '\n' ? NULL : guest;
}

static void flush(struct guest *guest)
{
	size_t size = console.of[guest->number].size;

	if (size)
		put_piece(guest, console.of[guest->number].line, size);
	console.of[guest->number].size = 0;
}

/* For a guest in the background: complete lines only, or what is too long for one. */
static void keep(struct guest *guest, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t at = console.of[guest->number].size++;

		console.of[guest->number].line[at] = bytes[i];
		if (bytes[i] != '\n' && at + 1 < LINE)
			continue;
		flush(guest);
		if (console.half)
			put("\r\n", 2);
		console.half = NULL;
	}
}

static void write_front(struct guest *guest, const char *bytes, size_t size)
{
	while (size) {
		const char *end = memchr(bytes, '\n', size);
		size_t piece = end ? (size_t)(end - bytes) + 1 : size;

		put_piece(guest, bytes, piece);
		bytes += piece;
		size -= piece;
	}
}

void console_write(struct guest *guest, const void *bytes, size_t size)
{
	hatch_lock_acquire(&console.lock);
	if (guest->number == console.front)
		write_front(guest, bytes, size);
	else
		keep(guest, bytes, size);
	hatch_lock_release(&console.lock);
}

void console_say(const char *format, ...)
{
	char text[LINE];
	va_list list;
	int size;

	va_start(list, format);
	size = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	hatch_lock_acquire(&console.lock);
	end_half(NULL);
	put(text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1);
	put("\r\n", 2);
	hatch_lock_release(&console.lock);
}

/* ---- What is typed ---- */

static void bring_to_front(unsigned int number)
{
	if (number >= guests_count)
		return;
	hatch_lock_acquire(&console.lock);
	console.front = number;
	flush(&guests[number]);
	hatch_lock_release(&console.lock);
	console_say("hatch: %s is in front", guests[number].name);
}

static void obey(int key)
{
	if (key == 's' || key == 'S')
		guests_print_status();
	else if (key >= '1' && key <= '9')
		bring_to_front((unsigned int)(key - '1'));
	else
		console_say("hatch: Ctrl-] 1 to %u: that guest in front; Ctrl-] S: a table",
			    guests_count);
}

/* A byte for the guest in front, or -1: commands to us are taken out on the way. */
static int next_byte(const struct guest *guest)
{
	int key;

	while (guest->number == console.front && (key = hatch_board_console_read()) >= 0) {
		if (!console.command && key != COMMAND)
			return key;
		if (console.command && key == COMMAND) {
			console.command = false;
			return key;
		}
		if (console.command)
			obey(key);
		console.command = !console.command;
	}
	return -1;
}

/* One hart takes the console's interrupts; a guest that drains its port asks on any. */
int console_read(struct guest *guest)
{
	static struct hatch_lock lock;
	int key;

	hatch_lock_acquire(&lock);
	key = next_byte(guest);
	hatch_lock_release(&lock);
	return key;
}

void console_listen(struct guest *guest, bool on)
{
	if (guest->number == console.front)
		hatch_board_console_interrupt(on);
}

/* The one in front may have changed while it was read for, and then goes on with the rest. */
void console_serve(void)
{
	unsigned int front;

	do {
		front = console.front;
		hatch_machine_receive(&guests[front].machine);
	} while (front != console.front);
}
