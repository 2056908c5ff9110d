/* SPDX-License-Identifier: MIT */
/*
 * What must be undone however the program ends: the raw terminal, the machine's process, the
 * temporary folder. Each is undone once, by an exit handler; a deadly signal is turned into an
 * exit and raised again at its end, so that the shell sees the truth.
 */
#ifndef HATCH_COMMAND_SESSION_H
#define HATCH_COMMAND_SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Catches signals and prepares the undoing. Once, before the other functions here. */
void hatch_session_begin(void);

/*
 * In place of hatch_session_begin for who takes its signals from a descriptor (signalfd): those of
 * WANTED that our caller does not ignore. Called before any thread is started.
 */
int hatch_session_signals(const sigset_t *wanted);

/* Undoes all and ends the program by the signal NUMBER, so that the shell sees the truth. */
_Noreturn void hatch_session_die(int number);

/* Stops the program as SIGTSTP would, the terminal as it was, and returns when it goes on. */
void hatch_session_stop(void);

/* The mask to wait under (ppoll): outside the waits signals are blocked. */
const sigset_t *hatch_session_mask(void);

/* Ends the program if a deadly signal has come; stops it, machine and all, if a SIGTSTP has. */
void hatch_session_check(void);

/* A path in the temporary folder (made on first use) for a file called NAME. */
char *hatch_session_path(const char *name);

/* Puts the terminal at standard input into raw mode; false if it is none. */
bool hatch_session_terminal(void);

/* The process group PID is killed when the program ends; 0 when it has ended itself. */
void hatch_session_child(pid_t pid);

/* Undoes all now. */
void hatch_session_end(void);

#endif
