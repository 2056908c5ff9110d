/* SPDX-License-Identifier: MIT */
/* What the emulator has done and what it has refused, in words. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "isa_internal.h"

enum { RANKS = 5 }; /* told one by one */

/* A line that is being written: what does not fit is dropped. */
struct line {
	char *text;
	size_t size, used;
};

static __attribute__((format(printf, 2, 3))) void say(struct line *line, const char *format, ...)
{
	va_list args;
	int wrote;

	va_start(args, format);
	wrote = vsnprintf(line->text + line->used, line->size - line->used, format, args);
	va_end(args);
	if (wrote > 0)
		line->used += (size_t)wrote;
	if (line->used >= line->size)
		line->used = line->size - 1;
}

static const char *operation(uint32_t encoding)
{
	static const char *const names[32] = {
		[0x00] = "amoadd", [0x01] = "amoswap", [0x02] = "lr",	   [0x03] = "sc",
		[0x04] = "amoxor", [0x05] = "amocas",  [0x08] = "amoor",   [0x0c] = "amoand",
		[0x10] = "amomin", [0x14] = "amomax",  [0x18] = "amominu", [0x1c] = "amomaxu",
	};

	return names[encoding >> 27];
}

char *hatch_atomic_name(uint32_t encoding, char *name, size_t size)
{
	static const char widths[8] = { 'b', 'h', 'w', 'd', 'q' };
	static const char *const orders[4] = { "", ".rl", ".aq", ".aqrl" };
	const char *what = operation(encoding), width = widths[encoding >> 12 & 7];

	if (!what || !width || (encoding & 0x7f) != HATCH_ISA_AMO)
		snprintf(name, size, "atomic");
	else
		snprintf(name, size, "%s.%c%s", what, width, orders[encoding >> 25 & 3]);
	return name;
}

static void say_emulated(struct line *line, const struct hatch_emulator *emulator)
{
	const uint64_t total = hatch_emulator_total(emulator);
	const struct hatch_emulated *op;
	uint64_t told = 0;

	say(line, "emulated: ");
	for (unsigned int i = 0; i < RANKS && (op = hatch_emulator_rank(emulator, i)); i++) {
		say(line, "%s (%s) %" PRIu64 ", ", op->name, op->extension, op->count);
		told += op->count;
	}
	if (told < total)
		say(line, "others %" PRIu64 ", ", total - told);
	if (total)
		say(line, "in all %" PRIu64, total);
	else
		say(line, "nothing of %s was needed", emulator->extensions);
}

static void say_refused(struct line *line, const struct hatch_refused *refused)
{
	char name[HATCH_ATOMIC_NAME];

	if (!refused->count)
		return;
	say(line,
	    "; atomics refused, for no handler is atomic: %" PRIu64 ", first %s at 0x%" PRIx64,
	    refused->count, hatch_atomic_name(refused->encoding, name, sizeof(name)),
	    refused->pc.addr);
}

char *hatch_emulator_format(const struct hatch_emulator *emulator, char *line, size_t size)
{
	struct line to = { .text = line, .size = size };

	if (!size)
		return line;
	line[0] = '\0';
	say_emulated(&to, emulator);
	say_refused(&to, &emulator->atomic);
	return line;
}
