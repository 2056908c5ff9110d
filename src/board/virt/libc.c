/* SPDX-License-Identifier: MIT */
/*
 * What the C library needs of a machine: standard streams, a heap, an end.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/lock.h>
#include <unistd.h>

#include "virt.h"

#define HEAP_SIZE (16UL << 20) /* bytes for malloc, or a quarter of a small machine's RAM */

uintptr_t __stack_chk_guard = 0x68617463682d6367; /* libfdt.a was built with stack protection */
_Noreturn void __stack_chk_fail(void);

static int put_char(char c, FILE *file)
{
	(void)file;
	if (c == '\n')
		hatch_board_console_write("\r\n", 2);
	else
		hatch_board_console_write(&c, 1);
	return (unsigned char)c;
}

static int get_char(FILE *file)
{
	int c;

	(void)file;
	do
		c = hatch_board_console_read();
	while (c < 0);
	return c;
}

/* Nothing in it changes, so harts need no lock; what they print at once is mixed by characters. */
static FILE console = FDEV_SETUP_STREAM(put_char, get_char, NULL, _FDEV_SETUP_RW);
FILE *const stdin = &console;
FILE *const stdout = &console;
FILE *const stderr = &console;

static char *heap_next, *heap_end;

void virt_heap_init(void)
{
	const struct hatch_memory *memory = hatch_board_memory();
	uint64_t quarter = hatch_board_memory_free() / 4;
	size_t size = quarter < HEAP_SIZE ? quarter : HEAP_SIZE;

	heap_next = memory->alloc(memory->arg, size, HATCH_PAGE_SIZE);
	if (!heap_next)
		virt_die("no RAM for the heap", "give the machine more with -m or --memory");
	heap_end = heap_next + size;
}

/* malloc grows by this, and holds the library's lock meanwhile. */
void *sbrk(ptrdiff_t bytes)
{
	char *old = heap_next;

	if (bytes > heap_end - heap_next) {
		errno = ENOMEM;
		return (void *)-1;
	}
	heap_next += bytes;
	return old;
}

/*
 * The library's one lock, around malloc and free for instance. Invariants: `holder` and `depth`
 * are those of the hart that has `lock`; depth 0 and no holder otherwise.
 */
struct __lock {
	struct hatch_lock lock;
	const struct virt_hart *holder;
	unsigned int depth;
};
struct __lock __lock___libc_recursive_mutex;

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
	const struct virt_hart *me = virt_hart_this();

	if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) != me) {
		hatch_lock_acquire(&lock->lock);
		__atomic_store_n(&lock->holder, me, __ATOMIC_RELAXED);
	}
	lock->depth++;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
	if (--lock->depth)
		return;
	__atomic_store_n(&lock->holder, NULL, __ATOMIC_RELAXED);
	hatch_lock_release(&lock->lock);
}

_Noreturn void _exit(int status)
{
	hatch_board_exit(status);
}

_Noreturn void __stack_chk_fail(void)
{
	virt_die("a function wrote beyond its local variables",
		 "debug it with a breakpoint on __stack_chk_fail");
}
