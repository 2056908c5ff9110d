/* SPDX-License-Identifier: MIT */
/* What the files of the process clauses share. Numbers are those of Linux's riscv64 interface. */
#ifndef HATCH_SRC_PROCESS_INTERNAL_H
#define HATCH_SRC_PROCESS_INTERNAL_H

#include <hatch/handlers/process.h>

enum linux_error {
	LINUX_EPERM = 1,
	LINUX_ENOENT = 2,
	LINUX_ESRCH = 3,
	LINUX_E2BIG = 7,
	LINUX_ENOEXEC = 8,
	LINUX_EBADF = 9,
	LINUX_EAGAIN = 11,
	LINUX_ENOMEM = 12,
	LINUX_EACCES = 13,
	LINUX_EFAULT = 14,
	LINUX_EEXIST = 17,
	LINUX_ENOTDIR = 20,
	LINUX_EISDIR = 21,
	LINUX_EINVAL = 22,
	LINUX_EMFILE = 24,
	LINUX_ENOTTY = 25,
	LINUX_ESPIPE = 29,
	LINUX_EROFS = 30,
	LINUX_ERANGE = 34,
	LINUX_EDEADLK = 35,
	LINUX_ENAMETOOLONG = 36,
	LINUX_ENOSYS = 38,
	LINUX_ELOOP = 40,
	LINUX_ETIMEDOUT = 110,
};

enum linux_signal {
	LINUX_SIGILL = 4,
	LINUX_SIGTRAP = 5,
	LINUX_SIGBUS = 7,
	LINUX_SIGKILL = 9,
	LINUX_SIGSEGV = 11,
	LINUX_SIGCHLD = 17,
	LINUX_SIGCONT = 18,
	LINUX_SIGURG = 23,
	LINUX_SIGWINCH = 28,
};

enum {
	PROCESS_ID = 100,
	PROCESS_PATH = 4096,  /* bytes of a path, its end included */
	PROCESS_IO = 1 << 20, /* bytes that one call moves at most: less than asked for is legal */
	PROCESS_CONSOLE = 4096, /* the same, written to the console */
	PROCESS_CHUNK = 512,	/* bytes that are copied at a time */
	PROCESS_VECTORS = 1024	/* pieces of one readv or writev */
};

/*
 * One system call: arguments a0 to a5 in, the answer or a negative error number out. Those that
 * do not simply answer give one of these instead, which no call has for an answer.
 */
typedef int64_t process_call(struct hatch_process *p, const uint64_t a[8]);

enum {
	PROCESS_ENDED = INT32_MIN, /* state.signal or the low byte of a0 says how */
	PROCESS_AGAIN,		   /* it waits: the same call again */
	PROCESS_REPLACED,	   /* another program runs now */
	PROCESS_STARVED,	   /* the machine has no memory */
};

struct process_entry {
	const char *name;
	process_call *call;
};

/* NULL for a number that is not implemented. */
const struct process_entry *process_find_call(uint64_t number);

/* ---- process_page.c: the program's pages ---- */

/*
 * Makes the page of `at` present if a mapping gives all these rights.
 * -LINUX_EFAULT: none does; PROCESS_STARVED.
 */
int process_page_in(struct hatch_process *p, uint64_t at, unsigned int prot);
/* Takes pages away, or gives them other rights (PROCESS_STARVED: not all of them). */
void process_page_drop(struct hatch_process *p, uint64_t start, uint64_t end);
int process_page_protect(struct hatch_process *p, uint64_t start, uint64_t end, unsigned int prot);

/* Remembers what the pages hold; brings that back, with the state of that time. */
void process_page_save(struct hatch_process *p);
void process_page_restore(struct hatch_process *p, const struct hatch_process_state *state);

/* Gives all of them back. */
void process_page_fini(struct hatch_process *p);

/* ---- process_state.c: the same for transactions ---- */

struct hatch_state process_state_of(struct hatch_process *p);

/* ---- process_copy.c: every access with the program's own rights ---- */

/* Copies; 0, -LINUX_EFAULT or PROCESS_STARVED. A text: its length, or -LINUX_ENAMETOOLONG. */
int process_copy_in(struct hatch_process *p, uint64_t from, void *to, size_t size);
int process_copy_out(struct hatch_process *p, uint64_t to, const void *from, size_t size);
int process_copy_text(struct hatch_process *p, uint64_t from, char *to, size_t size);

/* ---- process_map.c: the list of mappings ---- */

/* Sizes in whole pages; UINT64_MAX - 4095 at most, so that adding a page start cannot wrap. */
static inline uint64_t process_page_up(uint64_t n)
{
	return n > UINT64_MAX - HATCH_PAGE_SIZE ? UINT64_MAX - (HATCH_PAGE_SIZE - 1)
						: (n + HATCH_PAGE_SIZE - 1) & -HATCH_PAGE_SIZE;
}

static inline bool process_is_aligned(uint64_t n)
{
	return (n & (HATCH_PAGE_SIZE - 1)) == 0;
}

/* Whether [start, start + size) is whole pages of the program's addresses. */
bool process_is_range(uint64_t start, uint64_t size);

/* The mapping that contains the address, or NULL. */
struct hatch_process_map *process_map_find(struct hatch_process *p, uint64_t at);

/* Whether nothing is mapped in [start, end). */
bool process_map_is_free(const struct hatch_process *p, uint64_t start, uint64_t end);

/* The highest free place of that size, below the stack; 0 when there is none. */
uint64_t process_map_gap(const struct hatch_process *p, uint64_t size);

/* Adds a mapping where nothing is. -LINUX_ENOMEM: the limit, or too many mappings. */
int process_map_add(struct hatch_process *p, const struct hatch_process_map *map);

/* Unmaps what is mapped in [start, end). -LINUX_ENOMEM: too many mappings; nothing is changed. */
int process_map_remove(struct hatch_process *p, uint64_t start, uint64_t end);

/* Other rights. -LINUX_ENOMEM: not all of it is mapped, or too many; nothing is changed. */
int process_map_protect(struct hatch_process *p, uint64_t start, uint64_t end, unsigned int prot);

/* ---- process_elf.c, process_stack.c: how a program begins ---- */

enum {
	PROCESS_ARGS = (32 << 10) - 12, /* bytes of all arguments and environment */
	PROCESS_ARGS_MOST = 1024,	/* strings */
	PROCESS_IMAGE = 64 << 10,	/* bytes of the first stack */
	PROCESS_INTERPRETER = 256,
};

/* Texts one behind the other, the arguments first. */
struct process_args {
	uint32_t argc, envc;
	uint32_t size; /* of text, bytes */
	char text[PROCESS_ARGS];
};
_Static_assert(sizeof(struct process_args) % HATCH_PAGE_SIZE == 0, "whole pages are taken");

/* Adds one, arguments before environment; -LINUX_E2BIG. */
int process_args_add(struct process_args *args, bool environment, const char *text);

/* A program that has been mapped. */
struct process_program {
	uint64_t base;	  /* what was added to its addresses */
	uint64_t entry;	  /* where it begins */
	uint64_t headers; /* of its program headers; 0: not mapped */
	uint16_t header_count;
	uint64_t end;			       /* of its last segment */
	char interpreter[PROCESS_INTERPRETER]; /* path; empty: none */
};

/*
 * Checks an ELF file without mapping it. -LINUX_ENOEXEC, and *problem says why.
 */
int process_elf_check(const struct hatch_file *file, struct process_program *program, bool *moves,
		      const char **problem);

/* Maps a checked file: at `base` if it moves. -LINUX_ENOEXEC, -LINUX_ENOMEM. */
int process_elf_map(struct hatch_process *p, uint32_t file, uint64_t base,
		    struct process_program *program);

/*
 * Builds the stack that a program finds (RISC-V ELF psABI, and Linux's auxiliary vector) so that
 * it ends at `top`. `execfn` is the path. Returns its size, a multiple of 16; -LINUX_E2BIG.
 */
int64_t process_stack_build(const struct process_args *args, const struct process_program *program,
			    const struct process_program *interpreter, const char *execfn,
			    const uint64_t random[2], uint64_t top, uint8_t *image, size_t room);

/* ---- process_fd.c: open files ---- */

/* The stream of a number, or NULL. */
struct hatch_process_stream *process_stream(struct hatch_process *p, uint64_t number);
/* Standard input, output, error; all others closed. */
void process_open_console(struct hatch_process *p);
void process_close_on_exec(struct hatch_process *p);
/* The lowest free number from `least` on, for a new stream; -LINUX_EMFILE. */
int64_t process_open_file(struct hatch_process *p, uint32_t file, bool close_on_exec,
			  bool path_only);

/* ---- process_path.c: which file a call means ---- */

enum {
	AT_FOLDER = -100, /* "relative to the working folder" */
	AT_NOFOLLOW = 0x100,
	AT_EMPTY = 0x1000,
};

/* The file of a path in the program's memory; a negative error. The folder's number is a[0]. */
int64_t process_find_path(struct hatch_process *p, uint64_t folder, uint64_t path, bool follow);
/* Whether it may look into the file. */
bool process_may_open(const struct hatch_process *p, uint32_t file);

static inline const struct hatch_file *process_file(const struct hatch_process *p, uint32_t file)
{
	return &p->config.files->file[file];
}

static inline uint32_t process_kind(const struct hatch_process *p, uint32_t file)
{
	return process_file(p, file)->mode & HATCH_FILE_KIND;
}

/* ---- process_id.c ---- */

uint64_t process_random(struct hatch_process *p);
uint64_t process_now(const struct hatch_process *p);

/* ---- The calls ---- */

process_call process_getcwd, process_dup, process_dup3, process_fcntl, process_ioctl,
	process_faccessat, process_chdir, process_fchdir, process_openat, process_close,
	process_getdents64, process_lseek, process_read, process_write, process_readv,
	process_writev, process_pread64, process_ppoll, process_readlinkat, process_newfstatat,
	process_fstat, process_statx;
process_call process_exit, process_kill, process_tgkill, process_execve, process_futex,
	process_nanosleep, process_clock_nanosleep, process_clock_gettime, process_clock_getres,
	process_gettimeofday, process_times, process_getrusage, process_sysinfo, process_uname,
	process_umask, process_prctl, process_getrandom, process_prlimit64, process_getrlimit,
	process_sigaction, process_sigaltstack, process_sigprocmask, process_affinity,
	process_getpid, process_zero, process_refuse_permission, process_refuse_read_only;
process_call process_brk, process_mmap, process_munmap, process_mprotect, process_madvise;

#endif
