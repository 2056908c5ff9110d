/* SPDX-License-Identifier: MIT */
/*
 * A Linux program without Linux: clauses for the system calls of an unmodified riscv64 program.
 *
 *	hatch_process_init(&process, &vcpu, &config);
 *	hatch_process_start(&process, "/bin/ls", argv, envp);
 *	hatch_process_enter(&process, &t);
 *	hatch_try_run(&t);		done; t.status is what a shell would show
 *
 * The program runs in VU-mode with translation off: a guest-virtual address is the guest-physical
 * one, and the second translation stage is its page table, with write or execute but never both.
 * Pages come when they are touched. It sees the files of one read-only tree, writes to standard
 * output and error, and has one thread. What is not implemented here is denied: unknown calls get
 * ENOSYS, changes to files EROFS, files outside the folders that it was given EACCES.
 *
 * How it ends: exit gives HATCH_DONE with the exit code; what would have been a deadly signal gives
 * HATCH_DONE with 128 and the signal's number (139: a segmentation fault); a machine that has no
 * memory left for it HATCH_UNWOUND with HATCH_ENOMEM. Signals are not delivered otherwise.
 */
#ifndef HATCH_HANDLERS_PROCESS_H
#define HATCH_HANDLERS_PROCESS_H

#include <hatch/handlers/files.h>
#include <hatch/try.h>

/* Guest-physical layout: the program's addresses end at 4 GiB. */
#define HATCH_PROCESS_FIRST  UINT64_C(0x1000)
#define HATCH_PROCESS_END    UINT64_C(0x100000000)
#define HATCH_PROCESS_BASE   UINT64_C(0x40000000) /* of a program without an address of its own */
#define HATCH_PROCESS_STACK  (UINT64_C(1) << 20)  /* bytes, at the end */

#define HATCH_PROCESS_MAPS   128 /* mappings at a time */
#define HATCH_PROCESS_OPEN   32	 /* open files */
#define HATCH_PROCESS_ALLOW  4	 /* folders */
#define HATCH_PROCESS_SIGNAL 64

/*
 * What a program is given; copied, and what it points to is borrowed. Sinks may be NULL.
 */
struct hatch_process_config {
	const struct hatch_files *files;
	/* Folders that it may open and map files of; without any: all. */
	const char *allow[HATCH_PROCESS_ALLOW];
	/*
	 * Bytes that it may map at a time, stack and code included. Of the machine's memory it
	 * takes less, for pages come when they are touched; a transaction keeps another one of
	 * each page that is written to, or two.
	 */
	uint64_t memory;
	/*
	 * Its end unwinds the try instead of finishing it, with the same status: a transactional
	 * try then goes back to where the run began, and can be run again.
	 */
	bool unwinds;
	uint64_t seed; /* of its random numbers, which are good for hash tables, not for secrets */
	/* It wrote to standard output (1) or error (2). */
	void (*write)(void *arg, int to, const void *bytes, size_t size);
	/* It reads standard input: up to `size` bytes into `bytes`, their number; 0: the end. */
	size_t (*read)(void *arg, void *bytes, size_t size);
	/* Nanoseconds since 1970. Without it time stands still, and nothing sleeps. */
	uint64_t (*clock)(void *arg);
	void *arg;
};

/* [start, end), whole pages. */
struct hatch_process_map {
	uint64_t start, end;
	uint64_t offset;   /* in the file, bytes */
	uint32_t file;	   /* HATCH_FILES_NONE: zeros */
	unsigned int prot; /* enum hatch_prot */
};

/* An open file, and a number that the program knows one by. */
struct hatch_process_stream {
	uint64_t at;	   /* bytes; in a folder: what comes next */
	uint32_t file;	   /* HATCH_FILES_NONE: the console */
	uint16_t users;	   /* numbers; 0: free */
	uint8_t path_only; /* opened with O_PATH */
};

struct hatch_process_number {
	uint8_t stream; /* counted from 1; 0: closed */
	uint8_t close_on_exec;
};

/*
 * All that changes while the program runs, besides the guest's memory and registers. It has no
 * pointers: a copy of it is what a transaction keeps and puts back.
 * Invariants: maps are in the order of their addresses and do not overlap; `mapped` is the sum of
 * their sizes; every page that the guest has lies in one of them.
 */
struct hatch_process_state {
	struct hatch_process_map map[HATCH_PROCESS_MAPS];
	unsigned int maps;
	uint64_t mapped;	 /* bytes */
	uint64_t heap, heap_end; /* what brk moves */
	uint64_t random;	 /* the generator's state */
	uint64_t wake;		 /* when the call that waits is over, nanoseconds; 0: none */
	uint64_t blocked;	 /* signals */
	uint64_t action[HATCH_PROCESS_SIGNAL][3]; /* as rt_sigaction has them */
	uint32_t folder;			  /* the working one */
	uint32_t mask;				  /* umask */
	struct hatch_process_stream stream[HATCH_PROCESS_OPEN];
	struct hatch_process_number number[HATCH_PROCESS_OPEN];
	uint64_t calls;	 /* system calls so far */
	uint64_t denied; /* of those: answered with ENOSYS, EPERM, EACCES or EROFS */
	int signal;	 /* that ended the program; 0: none */
};

/*
 * The user owns it, in place: its clauses point into it. A transactional try puts it back with
 * all else: files, mappings, signals. It cannot be cloned: the clone's run is HATCH_FAILED with
 * HATCH_ENOTSUP. What it has printed stays printed.
 */
struct hatch_process {
	struct hatch_process_config config;
	struct hatch_vcpu *vcpu;
	struct hatch_process_state state;
	const char *problem;	 /* why hatch_process_start failed, a few words; or NULL */
	struct hatch_gstage own; /* which pages are the process's; no hardware walks it */
	struct hatch_process_map saved[HATCH_PROCESS_MAPS]; /* those of the last save */
	unsigned int saved_maps;
	struct hatch_scope scope;
	struct hatch_catch calls, pages, faults, illegal, breakpoint, rest;
	struct hatch_state keep;
};

/*
 * Makes a process without a program. The vcpu and its guest are borrowed: the guest has no
 * regions yet and gets one, [HATCH_PROCESS_FIRST, HATCH_PROCESS_END). Pages come from its memory.
 * Errors: HATCH_EINVAL (NULL, no files), HATCH_ENOENT (a folder of `allow` is not there), and
 * those of hatch_guest_add_lazy. On failure nothing is kept.
 */
int hatch_process_init(struct hatch_process *process, struct hatch_vcpu *vcpu,
		       const struct hatch_process_config *config);

/*
 * Loads the program at `path`, with its interpreter if it names one, and sets the vcpu to begin
 * there. argv and envp end with NULL; envp may be NULL. What ran before in this process is gone.
 * Errors: HATCH_ENOENT (no such file or interpreter), HATCH_EFORMAT (no riscv64 program, or a
 * damaged one), HATCH_E2BIG (arguments of more than 32 KiB), HATCH_ENOMEM (the limit, or the
 * memory), HATCH_EINVAL (NULL). `problem` says more.
 */
int hatch_process_start(struct hatch_process *process, const char *path, const char *const argv[],
			const char *const envp[]);

/*
 * Puts the process's scope inside the try's innermost one. Your own scopes entered afterwards are
 * asked first: there a system call can be watched, answered another way, or denied.
 * Errors: those of hatch_scope_enter. Interrupts of the host are passed.
 */
int hatch_process_enter(struct hatch_process *process, struct hatch_try *t);

/* Gives every page back. The region stays the guest's. */
void hatch_process_fini(struct hatch_process *process);

/* The name of a system call ("openat"); NULL when it is not implemented here. */
const char *hatch_process_call_name(uint64_t number);

#endif
