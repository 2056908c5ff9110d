/* SPDX-License-Identifier: MIT */
/* From what was said to a running program. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

enum {
	PIPE_SIZE = 256 * 1024,
	FILES_SOFT = 1024, /* what old programs can count with select() */
	FILES_HARD = 1 << 20,
};

/* What the child says when it did not come as far as the program. */
struct report {
	enum stage { OF_STREAMS, OF_USER, OF_FOLDER, OF_EXEC } stage;
	int error;
	bool lost; /* the file is there, but not what is to run it */
};

/* Everything that the child needs is made ahead of it. */
struct plan {
	const struct setup *setup;
	struct user user;
	struct words environment;
	int fd[3];  /* its streams */
	int report; /* closed by exec */
};

static void set_winsize(int terminal, const struct setup *setup)
{
	const struct winsize size = { .ws_row = (unsigned short)setup->rows,
				      .ws_col = (unsigned short)setup->columns };

	ioctl(terminal, TIOCSWINSZ, &size);
}

/*
 * The session is the agent's, which outlives the command: when a session's leader ends, Linux drops
 * what the terminal has not passed on yet.
 */
static int open_terminal(struct plan *plan, struct child *child, struct problem *problem)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), zero = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero))
		return problem_set(problem, "cannot make a terminal");
	child->terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	setsid();
	if (child->terminal < 0 || ioctl(child->terminal, TIOCSCTTY, 0))
		return problem_set(problem, "cannot open a terminal");
	set_winsize(child->terminal, plan->setup);
	child->in = master;
	child->out = fcntl(master, F_DUPFD_CLOEXEC, 0);
	for (int i = 0; i < 3; i++)
		plan->fd[i] = child->terminal;
	return 0;
}

/* Our end does not block; the command's does, and is its user's. */
static int open_pipe(int *ours, int *theirs, bool we_read)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return -1;
	*ours = fd[we_read ? 0 : 1];
	*theirs = fd[we_read ? 1 : 0];
	fcntl(*ours, F_SETPIPE_SZ, PIPE_SIZE);
	return fcntl(*ours, F_SETFL, O_NONBLOCK);
}

static int open_pipes(struct plan *plan, struct child *child, struct problem *problem)
{
	if (open_pipe(&child->in, &plan->fd[0], false) ||
	    open_pipe(&child->out, &plan->fd[1], true) ||
	    (!plan->setup->merge && open_pipe(&child->err, &plan->fd[2], true)))
		return problem_set(problem, "cannot make a pipe in the guest");
	if (plan->setup->merge)
		plan->fd[2] = plan->fd[1];
	return 0;
}

static void close_theirs(struct plan *plan, const struct child *child)
{
	for (int i = 0; i < 3; i++)
		if (plan->fd[i] >= 0 && plan->fd[i] != child->terminal &&
		    (i < 2 || plan->fd[2] != plan->fd[1]))
			close(plan->fd[i]);
}

static int find_user(struct plan *plan, struct problem *problem)
{
	char *passwd = file_read("/etc/passwd"), *group = file_read("/etc/group");
	const char *spec = plan->setup->user, *missing = "memory for the user";

	if (passwd && group)
		missing = user_find(spec, passwd, group, &plan->user);
	free(passwd);
	free(group);
	if (!missing)
		return 0;
	errno = ENOENT;
	problem_set(problem, "'%s'", spec ? spec : "root");
	snprintf(problem->text, sizeof(problem->text), "no such %s in the guest: '%s'", missing,
		 spec ? spec : "root");
	return -1;
}

/* ---- The child ---- */

_Noreturn static void give_up(const struct plan *plan, enum stage stage, int error, bool lost)
{
	const struct report report = { stage, error, lost };

	(void)!write(plan->report, &report, sizeof(report));
	_exit(127);
}

/* A process group of its own: a session's, or the one that the terminal listens to. */
static int become_group(const struct plan *plan)
{
	pid_t pid = getpid();

	if (!plan->setup->terminal)
		return setsid() < 0;
	signal(SIGTTOU, SIG_IGN);
	return setpgid(0, 0) || ioctl(plan->fd[0], TIOCSPGRP, &pid);
}

static int take_streams(const struct plan *plan)
{
	const struct user *user = &plan->user;

	if (become_group(plan))
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(plan->fd[i], i) < 0 ||
		    fchown(i, user->uid, plan->setup->terminal ? (gid_t)-1 : user->gid))
			return -1;
	return 0;
}

static void set_defaults(void)
{
	const struct rlimit files = { FILES_SOFT, FILES_HARD };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_NOFILE, &files);
	umask(022);
}

static int become_user(const struct user *user)
{
	return setgroups(user->groups, user->group) || setgid(user->gid) || setuid(user->uid);
}

/* What no interpreter was named for is the shell's, as execvp() has it; but not a program. */
static int run_by_shell(const char *path, char **arguments, size_t count, char **environment)
{
	char **words = calloc(count + 2, sizeof(*words)), magic[4] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, magic, 4) < 0 || !memcmp(magic, "\177ELF", 4) || !words) {
		close(fd);
		return ENOEXEC;
	}
	close(fd);
	words[0] = "sh";
	words[1] = (char *)path;
	memcpy(words + 2, arguments + 1, (count - 1) * sizeof(*words));
	execve("/bin/sh", words, environment);
	return ENOEXEC;
}

static int run_file(const char *path, const struct plan *plan)
{
	const struct words *arguments = &plan->setup->arguments;
	struct stat status;

	execve(path, arguments->word, plan->environment.word);
	if (errno == ENOEXEC)
		return run_by_shell(path, arguments->word, arguments->count,
				    plan->environment.word);
	if (errno == EACCES && !stat(path, &status) && S_ISDIR(status.st_mode))
		return EISDIR;
	return errno;
}

static bool is_elsewhere(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == EISDIR;
}

static int run_program(const struct plan *plan, bool *lost)
{
	const char *path = words_value(&plan->environment, "PATH");
	const char *name = plan->setup->arguments.word[0];
	int error = ENOENT, found;
	char file[PATH_MAX];

	path = path ? path : WORDS_PATH;
	while (words_candidate(&path, name, file, sizeof(file))) {
		found = run_file(file, plan);
		if (!is_elsewhere(found))
			return found;
		*lost |= found == ENOENT && !access(file, F_OK);
		if (error == ENOENT && found != ENOTDIR)
			error = found;
	}
	return error;
}

_Noreturn static void be_child(const struct plan *plan)
{
	const char *folder = plan->setup->folder;
	bool lost = false;
	int error;

	if (take_streams(plan))
		give_up(plan, OF_STREAMS, errno, false);
	set_defaults();
	if (become_user(&plan->user))
		give_up(plan, OF_USER, errno, false);
	if (chdir(folder ? folder : "/"))
		give_up(plan, OF_FOLDER, errno, false);
	error = run_program(plan, &lost);
	give_up(plan, OF_EXEC, error, lost);
}

/* ---- Its parent ---- */

static const char *explain_exec(const struct report *report, const char *name)
{
	if (report->error == ENOENT && report->lost)
		return "cannot execute: the interpreter or loader that it names is not there";
	if (report->error == ENOENT && !strchr(name, '/'))
		return "command not found";
	if (report->error == ENOEXEC)
		return "cannot execute: not a program of this machine (riscv64 is wanted)";
	return strerror(report->error);
}

static int explain(const struct plan *plan, const struct report *report, struct problem *problem)
{
	const char *name = plan->setup->arguments.word[0];

	errno = report->error;
	switch (report->stage) {
	case OF_STREAMS:
		return problem_set(problem, "cannot set up the streams of the command");
	case OF_USER:
		return problem_set(problem, "cannot become the user '%s'", plan->user.name);
	case OF_FOLDER:
		return problem_set(problem, "cannot begin in the folder '%s'", plan->setup->folder);
	case OF_EXEC:
		break;
	}
	problem->end = report->error == ENOENT || report->error == ENOTDIR ? HATCH_AGENT_NO_COMMAND
									   : HATCH_AGENT_NO_EXEC;
	problem->code = (uint32_t)report->error;
	snprintf(problem->text, sizeof(problem->text), "%s: %s", name, explain_exec(report, name));
	return -1;
}

static int start(struct plan *plan, struct child *child, struct problem *problem)
{
	struct report report;
	int fd[2];
	ssize_t got;

	if (pipe2(fd, O_CLOEXEC))
		return problem_set(problem, "cannot make a pipe in the guest");
	plan->report = fd[1];
	child->pid = vfork(); /* nothing of ours is copied, for nothing of it is used */
	if (!child->pid)
		be_child(plan);
	close(fd[1]);
	close_theirs(plan, child);
	if (child->pid < 0)
		return problem_set(problem, "cannot start a process in the guest");
	while ((got = read(fd[0], &report, sizeof(report))) < 0 && errno == EINTR)
		;
	close(fd[0]);
	if (got != sizeof(report))
		return 0;
	waitpid(child->pid, NULL, 0);
	child->pid = 0;
	return explain(plan, &report, problem);
}

int child_start(const struct setup *setup, struct child *child, struct problem *problem)
{
	struct plan plan = { .setup = setup, .fd = { -1, -1, -1 } };
	int error;

	if (find_user(&plan, problem))
		return -1;
	if (!words_environment(setup, &plan.user, &plan.environment)) {
		errno = ENOMEM;
		return problem_set(problem, "the environment");
	}
	error = setup->terminal ? open_terminal(&plan, child, problem)
				: open_pipes(&plan, child, problem);
	if (!error)
		error = start(&plan, child, problem);
	words_free(&plan.environment);
	return error;
}
