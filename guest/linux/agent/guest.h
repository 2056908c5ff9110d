/* SPDX-License-Identifier: MIT */
/* The agent's parts that touch the guest: what each does once, in the order of the run. */
#ifndef AGENT_GUEST_H
#define AGENT_GUEST_H

#include <limits.h>
#include <signal.h>

#include "setup.h"
#include "user.h"
#include "words.h"

/* Why something could not be done, for EXITED. */
struct problem {
	enum hatch_agent_end end;
	uint32_t code; /* errno */
	char text[PATH_MAX + 256];
};

/* Fills it with errno as its code; returns -1. The text's end is that of errno. */
int problem_set(struct problem *problem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- boot.c: all that can be done ahead. Returns where the guest was saved, if it was ---- */

void boot_prepare(void);

/* ---- finisher.c: words to the test finisher ---- */

void finisher_open(void);
/* The guest is saved at this instruction. */
void finisher_save(void);
/* Ends the machine with this status; text, if any, goes to the console. */
_Noreturn void finisher_end(unsigned int status, const char *text);

/* ---- power.c: what process 1 is asked for by signals ---- */

/* SIGCHLD and those; to be blocked, and read. */
void power_signals(sigset_t *set);
/* What reboot() is to be told for the signal; 0: it asks for nothing. */
int power_of(int number);
_Noreturn void power_end(int how);

/* ---- ports.c ---- */

/* By enum hatch_agent_port; non-blocking. Ends the machine when there are none. */
extern int ports[HATCH_AGENT_PORTS];

void ports_open(void);
/* A control frame, whole; waits for the host to take it. False: the host is gone. */
bool ports_send(uint32_t type, const void *data, uint32_t size);

/* ---- apply.c, net.c, root.c: what was asked for. 0, or -1 with the problem filled in ---- */

int apply_setup(const struct setup *setup, struct problem *problem);
int net_start(const struct setup *setup, struct problem *problem);
int root_enter(const struct setup *setup, struct problem *problem);
/* Everything is written back, and nothing can be written any more. */
void root_leave(void);

/* Writes a file whole, making it. 0 or -1 with errno. */
int file_write(const char *path, const char *text);
/* A file's text, to be freed; "" if it is not there. NULL: no memory. */
char *file_read(const char *path);
/* Makes a folder and those above it. 0 or -1 with errno. */
int folder_make(const char *path, unsigned int mode);

/* ---- child.c ---- */

/* The command, and our ends of its streams: -1 where there is none. */
struct child {
	int pid;
	int in, out, err;
	int terminal; /* our hold on its terminal's other side */
};

int child_start(const struct setup *setup, struct child *child, struct problem *problem);

/* ---- relay.c ---- */

/*
 * Until the command has ended and all is passed on. The end is in *problem; or, if it is not 0 that
 * this returns, power_end() is to be it.
 */
int relay_run(const struct setup *setup, struct child *child, struct inbox *control,
	      struct problem *problem);

#endif
