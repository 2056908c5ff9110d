/* SPDX-License-Identifier: MIT */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "relay.h"
#include "report.h"
#include "session.h"

/* The machine's standard streams. */
struct pipes {
	int input[2]; /* [0] is read, [1] is written, as pipe() has it */
	int output[2];
	int errors[2];
};

static void add_all(struct hatch_list *list, const struct hatch_list *items)
{
	for (size_t i = 0; i < items->count; i++)
		hatch_list_add(list, items->item[i]);
}

static void add_words(struct hatch_list *list, const char *const *words)
{
	while (*words)
		hatch_list_add(list, *words++);
}

/* The machine's RAM is a file that is open here, so that we can look at it afterwards. */
static void add_ram(struct hatch_list *list, int file, unsigned long long mib)
{
	hatch_list_add(list, "-machine");
	hatch_list_add(list, "memory-backend=hatch-ram");
	hatch_list_add(list, "-object");
	hatch_list_add(list, hatch_text_format("memory-backend-file,id=hatch-ram,size=%lluM,"
					       "mem-path=/proc/self/fd/%d,share=on",
					       mib, file));
}

/*
 * QEMU 7.2 leaves fences out where there can be one processor only, though devices work beside it:
 * one may miss a request then, for ever.
 */
static const char *processors(const struct hatch_run *run)
{
	unsigned int cpus = run->cpus ?: 1;

	return hatch_text_format(run->devices && cpus == 1 ? "%u,maxcpus=2" : "%u", cpus);
}

static struct hatch_list command_line(const struct hatch_run *run, const char *qemu)
{
	const struct hatch_machine *machine = run->machine;
	/* QEMU counts in MiB; whole big pages keep the G-stage tables small. */
	unsigned long long mib = (run->memory + (2 << 20) - 1) >> 21 << 1;
	const char *const words[] = { qemu,	  "-nodefaults",
				      "-M",	  "virt",
				      "-cpu",	  machine->cpu ?: "rv64",
				      "-smp",	  processors(run),
				      "-m",	  hatch_text_format("%lluM", mib),
				      "-display", "none",
				      "-monitor", "none",
				      "-serial",  "stdio",
				      "-bios",	  machine->firmware ?: "default",
				      "-kernel",  run->program,
				      NULL };
	const char *const debug[] = { "-s", "-S", NULL };
	const char *const arguments[] = { "-append", run->arguments, NULL };
	struct hatch_list list = { 0 };

	add_words(&list, words);
	if (machine->debug)
		add_words(&list, debug);
	if (run->arguments)
		add_words(&list, arguments);
	if (run->ram)
		add_ram(&list, run->ram, mib);
	add_all(&list, &run->extra);
	add_all(&list, &machine->arguments);
	return list;
}

static void open_pipes(struct pipes *pipes)
{
	if (pipe2(pipes->input, O_CLOEXEC) || pipe2(pipes->output, O_CLOEXEC) ||
	    pipe2(pipes->errors, O_CLOEXEC))
		hatch_report_fail(HATCH_EXIT_FAILED, "cannot make a pipe: %m; close some programs");
}

/*
 * The child's side. Its own process group keeps it out of the terminal's reach (Ctrl-C is ours to
 * act on), and the kernel kills it should we be killed without a chance to.
 */
_Noreturn static void become_qemu(const struct hatch_list *list, const struct pipes *pipes,
				  pid_t parent)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(HATCH_EXIT_FAILED);
	dup2(pipes->input[0], STDIN_FILENO);
	dup2(pipes->output[1], STDOUT_FILENO);
	dup2(pipes->errors[1], STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, hatch_session_mask(), NULL);
	execv(list->item[0], (char *const *)list->item);
	fprintf(stderr, "cannot run %s: %s\n", list->item[0], strerror(errno));
	_exit(HATCH_EXIT_FAILED);
}

static pid_t spawn(const struct hatch_list *list, struct pipes *pipes)
{
	pid_t parent = getpid();
	pid_t pid;

	open_pipes(pipes);
	pid = fork();
	if (pid < 0)
		hatch_report_fail(HATCH_EXIT_FAILED,
				  "cannot start a process: %m; close some programs");
	if (!pid)
		become_qemu(list, pipes, parent);
	setpgid(pid, pid); /* both do it: whoever is first */
	hatch_session_child(pid);
	close(pipes->input[0]);
	close(pipes->output[1]);
	close(pipes->errors[1]);
	return pid;
}

/*
 * What was held back, for the user who must find out why nothing came. QEMU's complaints are of
 * no matter once the board was there.
 */
static void show_held(const struct hatch_relay *relay, enum hatch_relay_stage stage)
{
	const struct hatch_marker *marker = &relay->marker[stage];

	fwrite(marker->held, 1, marker->length, stderr);
	if (marker->length && marker->held[marker->length - 1] != '\n')
		fputc('\n', stderr);
	if (stage == HATCH_RELAY_BOARD)
		fwrite(relay->complaint, 1, relay->complaint_length, stderr);
}

/* QEMU's words for a disk that another one has open; it holds locks on such files. */
static bool met_lock(const struct hatch_relay *relay)
{
	return memmem(relay->complaint, relay->complaint_length, "Failed to get ", 14) &&
	       memmem(relay->complaint, relay->complaint_length, "lock", 4);
}

static int ended_early(const struct hatch_relay *relay, int code)
{
	if (!relay->marker[HATCH_RELAY_BOARD].seen) {
		show_held(relay, HATCH_RELAY_BOARD);
		hatch_report_note(
			"QEMU ended (status %d) before the program came up; what it said is "
			"above; ./hatch doctor checks the machine",
			code);
		if (met_lock(relay))
			hatch_report_note("a disk is in use by another machine: end that one, or "
					  "boot from a copy; several may read a disk that all have "
					  "with ,ro or ,snapshot");
		return HATCH_EXIT_FAILED;
	}
	show_held(relay, HATCH_RELAY_READY);
	if (code == HATCH_EXIT_FAILED)
		return code; /* the program has said what is wrong */
	hatch_report_note(
		"the guest ended (status %d) before it ran the command; its output is above; "
		"an --initrd of your own must run /hatch-exec",
		code);
	return code ? code : HATCH_EXIT_FAILED;
}

static int verdict(const struct hatch_relay *relay, int status)
{
	int code = WEXITSTATUS(status);

	if (WIFSIGNALED(status)) {
		if (!relay->marker[HATCH_RELAY_BOARD].seen)
			show_held(relay, HATCH_RELAY_BOARD);
		hatch_report_note(
			"QEMU was killed by signal %d (%s): run again; if it stays so, try "
			"another --qemu",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
		return HATCH_EXIT_FAILED;
	}
	return relay->marker[relay->show_after].seen ? code : ended_early(relay, code);
}

static int timed_out(const struct hatch_relay *relay, double seconds)
{
	for (int i = 0; i <= (int)relay->show_after; i++) {
		if (!relay->marker[i].seen) {
			show_held(relay, i);
			break;
		}
	}
	hatch_report_note("no end after %g s: stopped; --timeout sets the limit", seconds);
	return HATCH_EXIT_TIMEOUT;
}

static double parse_timeout(const char *text)
{
	char *end;
	double seconds;

	if (!text)
		return 0;
	seconds = strtod(text, &end);
	if (end == text || *end || !(seconds > 0 && seconds < 1e9))
		hatch_report_fail(HATCH_EXIT_USAGE, "--timeout %s: not a number of seconds above 0",
				  text);
	return seconds;
}

static void announce_debugger(const struct hatch_run *run)
{
	hatch_report_note("the machine waits for gdb; in another terminal type:\n"
			  "  gdb-multiarch -ex 'target remote :1234' '%s'",
			  run->program);
}

static void prepare_relay(struct hatch_relay *relay, const struct hatch_run *run,
			  const struct pipes *pipes)
{
	relay->to_machine = pipes->input[1];
	relay->from_machine = pipes->output[0];
	relay->errors = pipes->errors[0];
	relay->batch = run->batch;
	relay->marker[HATCH_RELAY_BOARD].text = HATCH_MARKER_BOARD;
	relay->marker[HATCH_RELAY_READY].text = HATCH_MARKER_READY;
	if (run->batch && !run->verbose)
		relay->show_after = HATCH_RELAY_READY;
	if (run->wait_ready)
		relay->read_after = HATCH_RELAY_READY;
}

int hatch_qemu_run(const struct hatch_run *run)
{
	static struct hatch_relay relay; /* large; one machine per process */
	char *qemu = hatch_qemu_need(run->machine);
	struct hatch_list list;
	struct pipes pipes;
	int status;
	pid_t pid;

	relay.timeout = parse_timeout(run->machine->timeout);
	if (run->machine->firmware)
		hatch_file_check("firmware", run->machine->firmware);
	hatch_file_check("program", run->program);
	list = command_line(run, qemu);
	if (run->machine->debug)
		announce_debugger(run);
	pid = spawn(&list, &pipes);
	prepare_relay(&relay, run, &pipes);
	switch (hatch_relay_run(&relay)) {
	case HATCH_RELAY_LEFT:
		hatch_session_end();
		return 0;
	case HATCH_RELAY_TIMEOUT:
		hatch_session_end();
		return timed_out(&relay, relay.timeout);
	case HATCH_RELAY_ENDED:
		break;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	hatch_session_child(0);
	hatch_session_end();
	return verdict(&relay, status);
}
