/* SPDX-License-Identifier: MIT */
/*
 * The programs poweroff, halt and reboot leave it to process 1, by signals: these are those of busybox.
 * Linux lets only root send them.
 */
#include <sys/reboot.h>
#include <unistd.h>

#include "guest.h"

static const struct {
	int number, how;
} asked[] = {
	{ SIGUSR2, RB_POWER_OFF },
	{ SIGUSR1, RB_HALT_SYSTEM },
	{ SIGTERM, RB_AUTOBOOT },
};

void power_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGCHLD);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		sigaddset(set, asked[i].number);
}

int power_of(int number)
{
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (asked[i].number == number)
			return asked[i].how;
	return 0;
}

void power_end(int how)
{
	reboot(how);
	finisher_end(125, "cannot switch the machine off");
}
