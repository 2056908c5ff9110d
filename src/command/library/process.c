/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A signal that arrives here must not run a handler of the program: the memory is shared with it. */
static void forget_handlers(void)
{
	struct sigaction action;
	sigset_t none;

	for (int number = 1; number < NSIG; number++) {
		if (sigaction(number, NULL, &action) || action.sa_handler == SIG_IGN ||
		    action.sa_handler == SIG_DFL)
			continue;
		action = (struct sigaction){ .sa_handler = SIG_DFL };
		sigaction(number, &action, NULL);
	}
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Between vfork and exec: nothing but system calls. The group of its own keeps it out of the
 * terminal's reach; the kernel kills it when our thread ends, however that comes about.
 */
_Noreturn static void become(const struct hatch_launch *launch, pid_t parent, int report)
{
	int error;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(125);
	dup2(launch->input, STDIN_FILENO);
	dup2(launch->output, STDOUT_FILENO);
	dup2(launch->errors, STDERR_FILENO);
	for (size_t i = 0; i < launch->keeps; i++)
		fcntl(launch->keep[i], F_SETFD, 0);
	forget_handlers();
	execv(launch->words[0], launch->words);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* vfork: the cost of fork grows with the program that we are in. */
static pid_t branch(const struct hatch_launch *launch, int report)
{
	pid_t parent = getpid();
	pid_t pid = vfork();

	if (!pid)
		become(launch, parent, report);
	return pid;
}

/* The report's end without a word: exec has been. */
static int read_report(int report)
{
	int error = 0;

	while (read(report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	return error;
}

int hatch_process_start(struct hatch_process *process, const struct hatch_launch *launch,
			struct hatch_problem *problem)
{
	int report[2], error;

	if (hatch_pipe(report, problem))
		return problem->error;
	process->pid = branch(launch, report[1]);
	error = process->pid < 0 ? errno : 0;
	hatch_close(&report[1]);
	if (error) {
		hatch_close(&report[0]);
		process->pid = 0;
		return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
					 "cannot start a process: %s; close some programs",
					 strerror(error));
	}
	process->fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	error = read_report(report[0]);
	hatch_close(&report[0]);
	if (!error && process->fd >= 0)
		return 0;
	if (!error)
		hatch_process_kill(process);
	hatch_process_reap(process);
	if (!error)
		return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
					 "no descriptor for a process can be had (Linux 5.3 has "
					 "them): close some programs");
	return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
				 "cannot run %s: %s; check that it is a program of this machine",
				 launch->words[0], strerror(error));
}

void hatch_process_kill(const struct hatch_process *process)
{
	if (process->pid > 0)
		kill(-process->pid, SIGKILL);
}

int hatch_process_reap(struct hatch_process *process)
{
	struct pollfd place = { process->fd, POLLIN, 0 };
	int status = -1;
	pid_t pid;

	if (process->pid <= 0)
		return -1;
	do {
		pid = waitpid(process->pid, &status, 0);
	} while (pid < 0 && errno == EINTR);
	while (pid < 0 && process->fd >= 0 && poll(&place, 1, -1) < 0 && errno == EINTR)
		; /* the program ignores SIGCHLD, or waits for whatever child it has */
	if (process->fd >= 0)
		close(process->fd);
	*process = (struct hatch_process){ 0 };
	return pid < 0 ? -1 : status;
}

/* ---- Descriptors ---- */

void hatch_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* A program may have closed its standard streams: what takes their numbers would be mistaken. */
static int lift(int *fd)
{
	int high;

	if (*fd > STDERR_FILENO)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		return -1;
	close(*fd);
	*fd = high;
	return 0;
}

static int lift_both(int failed, int ends[2], struct hatch_problem *problem)
{
	if (failed)
		ends[0] = ends[1] = -1;
	else if (!lift(&ends[0]) && !lift(&ends[1]))
		return 0;
	hatch_close(&ends[0]);
	hatch_close(&ends[1]);
	return hatch_problem_set(problem, HATCH_COMMAND_ERESOURCE,
				 "no descriptors left: %s; raise the limit (ulimit -n), or close "
				 "some files",
				 strerror(errno));
}

int hatch_pipe(int ends[2], struct hatch_problem *problem)
{
	return lift_both(pipe2(ends, O_CLOEXEC), ends, problem);
}

int hatch_socket_pair(int ends[2], struct hatch_problem *problem)
{
	return lift_both(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ends, problem);
}

void hatch_never_wait(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}
