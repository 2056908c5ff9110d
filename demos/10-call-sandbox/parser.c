/* SPDX-License-Identifier: MIT */
/*
 * Somebody's parser. Ordinary C, compiled like all the rest of this program. It adds up numbers,
 * and has a feature for each letter; none of them was ever tested.
 */
#include <stdlib.h>

#include <hatch/call.h>

#include "parser.h"

static const long scale = 1;
static long parsed; /* how many documents so far */

static long count(void)
{
	return ++*(volatile long *)&parsed;
}

static long capitalize(char *text)
{
	return *(volatile char *)text -= 'a' - 'A';
}

static long rescale(void)
{
	return *(volatile long *)&scale = 2;
}

static long patch(void)
{
	return *(volatile long *)(uintptr_t)parse = 0;
}

/* Meant to go on behind the bracket. */
static long nest(const char *at, const struct parser_options *options)
{
	volatile long inner = parse(at, options);

	return inner + 1;
}

static long run_script(const char *text)
{
	return ((long (*)(void))(uintptr_t)text)();
}

static long use_new_instruction(void)
{
	__asm__ volatile(".insn r 0x0b, 0, 0, a0, a0, a0");
	return 0;
}

static long turn_interrupts_off(void)
{
	__asm__ volatile("csrci sstatus, 2");
	return 0;
}

static long check_assertion(void)
{
	__asm__ volatile("ebreak");
	return 0;
}

static long wait_for_change(const char *at)
{
	while (*(const volatile char *)at)
		;
	return 0;
}

static long letter(const char *at, const struct parser_options *options)
{
	switch (*at) {
	case 'l':
		return *(const volatile long *)options->limits;
	case 'n':
		return count();
	case 'c':
		return capitalize((char *)at);
	case 's':
		return rescale();
	case 'p':
		return patch();
	case '(':
		return nest(at, options);
	case 'x':
		return run_script(at);
	case 'g':
		return options->plugin();
	case 'i':
		return use_new_instruction();
	case 'm':
		return turn_interrupts_off();
	case 'd':
		return check_assertion();
	case 'e':
		return (long)hatch_ask("erase the disk");
	default:
		return wait_for_change(at);
	}
}

long parse(const char *text, const struct parser_options *options)
{
	long sum = 0;

	for (; *text; text += *text == '+')
		sum += *text >= '0' && *text <= '9' ? strtol(text, (char **)&text, 10)
						    : letter(text++, options);
	return sum * scale;
}
