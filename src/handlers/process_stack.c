/* SPDX-License-Identifier: MIT */
/*
 * What a program finds on its stack: the number of arguments, pointers to them, pointers to its
 * environment, the auxiliary vector; above them what these point to.
 */
#include <string.h>

#include "process_internal.h"

enum auxiliary {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_HWCAP = 16,
	AT_CLKTCK = 17,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_EXECFN = 31,
};

enum {
	PROGRAM_HEADER = 56, /* bytes */
	CLOCK_TICKS = 100,   /* what times would count in, a second */
	STACK_ALIGN = 16,
	AUXILIARY = 17, /* pairs, the last one included */
};

/* A, C, D, F, I and M: rv64gc, as the program's compiler may have assumed. */
#define HWCAP                                                                                      \
	(1U << ('A' - 'A') | 1U << ('C' - 'A') | 1U << ('D' - 'A') | 1U << ('F' - 'A') |           \
	 1U << ('I' - 'A') | 1U << ('M' - 'A'))

int process_args_add(struct process_args *args, bool environment, const char *text)
{
	size_t size = strlen(text) + 1;

	if (size > sizeof(args->text) - args->size || args->argc + args->envc == PROCESS_ARGS_MOST)
		return -LINUX_E2BIG;
	memcpy(args->text + args->size, text, size);
	args->size += (uint32_t)size;
	if (environment)
		args->envc++;
	else
		args->argc++;
	return 0;
}

/* Words that are written one behind the other. */
struct words {
	uint8_t *at;
};

static void put(struct words *words, uint64_t word)
{
	memcpy(words->at, &word, sizeof(word));
	words->at += sizeof(word);
}

static void put_pair(struct words *words, enum auxiliary kind, uint64_t value)
{
	put(words, kind);
	put(words, value);
}

/* Pointers to `count` texts that begin at *text, of which the program's are at *at; and a NULL. */
static void put_pointers(struct words *words, const char **text, uint64_t *at, uint32_t count)
{
	for (; count; count--) {
		size_t size = strlen(*text) + 1;

		put(words, *at);
		*text += size;
		*at += size;
	}
	put(words, 0);
}

static void put_auxiliary(struct words *words, const struct process_program *program,
			  const struct process_program *interpreter, uint64_t random,
			  uint64_t execfn)
{
	put_pair(words, AT_PHDR, program->headers);
	put_pair(words, AT_PHENT, PROGRAM_HEADER);
	put_pair(words, AT_PHNUM, program->header_count);
	put_pair(words, AT_PAGESZ, HATCH_PAGE_SIZE);
	put_pair(words, AT_BASE, interpreter ? interpreter->base : 0);
	put_pair(words, AT_FLAGS, 0);
	put_pair(words, AT_ENTRY, program->entry);
	put_pair(words, AT_UID, 0);
	put_pair(words, AT_EUID, 0);
	put_pair(words, AT_GID, 0);
	put_pair(words, AT_EGID, 0);
	put_pair(words, AT_HWCAP, HWCAP);
	put_pair(words, AT_CLKTCK, CLOCK_TICKS);
	put_pair(words, AT_SECURE, 0);
	put_pair(words, AT_RANDOM, random);
	put_pair(words, AT_EXECFN, execfn);
	put_pair(words, AT_NULL, 0);
}

int64_t process_stack_build(const struct process_args *args, const struct process_program *program,
			    const struct process_program *interpreter, const char *execfn,
			    const uint64_t random[2], uint64_t top, uint8_t *image, size_t room)
{
	size_t words = 1 + args->argc + 1 + args->envc + 1 + AUXILIARY * 2;
	size_t name = strlen(execfn) + 1, head = words * sizeof(uint64_t);
	size_t size = head + 2 * sizeof(random[0]) + args->size + name;
	const char *text = args->text;
	struct words to = { image };
	uint64_t base, at;

	size = (size + STACK_ALIGN - 1) & ~(size_t)(STACK_ALIGN - 1);
	if (size > room)
		return -LINUX_E2BIG;
	base = top - size;
	at = base + head + 2 * sizeof(random[0]);
	memset(image, 0, size);
	put(&to, args->argc);
	put_pointers(&to, &text, &at, args->argc);
	put_pointers(&to, &text, &at, args->envc);
	put_auxiliary(&to, program, interpreter, base + head, at);
	put(&to, random[0]);
	put(&to, random[1]);
	memcpy(to.at, args->text, args->size);
	memcpy(to.at + args->size, execfn, name);
	return (int64_t)size;
}
