/* SPDX-License-Identifier: MIT */
/* How a process's program begins: from the host, or in the place of another one by execve. */
#include <string.h>

#include "process_internal.h"

/* All that is needed before the old program may go. */
struct plan {
	uint32_t program, interpreter;
	struct process_program main, other;
	bool main_moves, other_moves;
};

static int plan_file(struct hatch_process *p, int64_t file, struct process_program *program,
		     bool *moves)
{
	if (file < 0 || process_kind(p, (uint32_t)file) != HATCH_FILE_REGULAR) {
		p->problem = "there is no such file";
		return file < 0 ? (int)file : -LINUX_EACCES;
	}
	return process_elf_check(process_file(p, (uint32_t)file), program, moves, &p->problem);
}

static int make_plan(struct hatch_process *p, uint32_t file, struct plan *plan)
{
	int64_t found;
	int error = plan_file(p, file, &plan->main, &plan->main_moves);

	plan->program = file;
	plan->interpreter = HATCH_FILES_NONE;
	if (error || !plan->main.interpreter[0])
		return error;
	found = hatch_files_find(p->config.files, HATCH_FILES_ROOT, plan->main.interpreter, true);
	plan->interpreter = found < 0 ? HATCH_FILES_NONE : (uint32_t)found;
	error = plan_file(p, found, &plan->other, &plan->other_moves);
	if (error && found < 0)
		p->problem = "its interpreter is not in the file tree";
	return error;
}

static int map_stack(struct hatch_process *p)
{
	const struct hatch_process_map stack = {
		.start = HATCH_PROCESS_END - HATCH_PROCESS_STACK,
		.end = HATCH_PROCESS_END,
		.file = HATCH_FILES_NONE,
		.prot = HATCH_PROT_READ | HATCH_PROT_WRITE,
	};

	return process_map_add(p, &stack);
}

static int map_interpreter(struct hatch_process *p, struct plan *plan)
{
	uint64_t base = 0;

	if (plan->interpreter == HATCH_FILES_NONE)
		return 0;
	if (plan->other_moves)
		base = process_map_gap(p, plan->other.end);
	if (plan->other_moves && !base)
		return -LINUX_ENOMEM;
	return process_elf_map(p, plan->interpreter, base, &plan->other);
}

static int map_all(struct hatch_process *p, struct plan *plan)
{
	struct hatch_process_state *s = &p->state;
	int error = process_map_remove(p, HATCH_PROCESS_FIRST, HATCH_PROCESS_END);

	if (!error)
		error = map_stack(p);
	if (!error)
		error = process_elf_map(p, plan->program, plan->main_moves ? HATCH_PROCESS_BASE : 0,
					&plan->main);
	if (!error)
		error = map_interpreter(p, plan);
	s->heap = plan->main.end;
	s->heap_end = s->heap;
	if (error)
		p->problem = "it does not fit into the memory that it may have";
	return error;
}

/* Returns where the stack pointer stands, or an error. */
static int64_t write_stack(struct hatch_process *p, const struct plan *plan, const char *path,
			   const struct process_args *args)
{
	const struct hatch_memory *memory = p->vcpu->guest->stage.memory;
	const uint64_t random[2] = { process_random(p), process_random(p) };
	uint8_t *image = memory->alloc(memory->arg, PROCESS_IMAGE, HATCH_PAGE_SIZE);
	int64_t size = -LINUX_ENOMEM, error;

	if (!image)
		return size;
	size = process_stack_build(args, &plan->main,
				   plan->interpreter == HATCH_FILES_NONE ? NULL : &plan->other,
				   path, random, HATCH_PROCESS_END, image, PROCESS_IMAGE);
	error = size < 0 ? size
			 : process_copy_out(p, HATCH_PROCESS_END - (uint64_t)size, image,
					    (size_t)size);
	memory->free(memory->arg, image, PROCESS_IMAGE);
	return error ? error : (int64_t)HATCH_PROCESS_END - size;
}

/* Handlers of the old program would be addresses in the new one; what it ignored stays ignored. */
static void reset_signals(struct hatch_process *p)
{
	for (unsigned int i = 0; i < HATCH_PROCESS_SIGNAL; i++)
		if (p->state.action[i][0] != 1)
			memset(p->state.action[i], 0, sizeof(p->state.action[i]));
}

static int replace(struct hatch_process *p, struct plan *plan, const char *path,
		   const struct process_args *args)
{
	int error = map_all(p, plan);
	int64_t sp = error ? error : write_stack(p, plan, path, args);
	uint64_t entry = plan->main.entry;

	if (sp < 0)
		return (int)sp;
	if (plan->interpreter != HATCH_FILES_NONE)
		entry = plan->other.entry;
	process_close_on_exec(p);
	reset_signals(p);
	hatch_vcpu_reset_user(p->vcpu, hatch_gpa_of(entry), (uint64_t)sp);
	return 0;
}

/* ---- From within: execve ---- */

static struct process_args *new_args(struct hatch_process *p)
{
	const struct hatch_memory *memory = p->vcpu->guest->stage.memory;

	return memory->alloc(memory->arg, sizeof(struct process_args), HATCH_PAGE_SIZE);
}

static void free_args(struct hatch_process *p, struct process_args *args)
{
	const struct hatch_memory *memory = p->vcpu->guest->stage.memory;

	memory->free(memory->arg, args, sizeof(*args));
}

/* The texts of a list of pointers, in the program's memory; the list ends with NULL. */
static int copy_list(struct hatch_process *p, struct process_args *args, bool environment,
		     uint64_t list)
{
	for (unsigned int i = 0; list && i < PROCESS_ARGS_MOST; i++) {
		char *to = args->text + args->size;
		uint64_t at;
		int length, error = process_copy_in(p, list + i * sizeof(at), &at, sizeof(at));

		if (error || !at)
			return error;
		if (args->size == sizeof(args->text))
			return -LINUX_E2BIG;
		length = process_copy_text(p, at, to, sizeof(args->text) - args->size);
		if (length < 0)
			return length == -LINUX_ENAMETOOLONG ? -LINUX_E2BIG : length;
		args->size += (uint32_t)length + 1;
		if (environment)
			args->envc++;
		else
			args->argc++;
	}
	return list ? -LINUX_E2BIG : 0;
}

static int64_t exec_file(struct hatch_process *p, uint32_t file, const char *path,
			 const struct process_args *args)
{
	struct plan plan;
	int error = make_plan(p, file, &plan);

	if (error)
		return error;
	if (!replace(p, &plan, path, args))
		return PROCESS_REPLACED;
	p->state.signal = LINUX_SIGKILL; /* the old program is gone, and there is no new one */
	return PROCESS_ENDED;
}

static int64_t find_executable(struct hatch_process *p, const char *path)
{
	int64_t file = hatch_files_find(p->config.files, p->state.folder, path, true);

	if (file < 0)
		return file;
	if (!process_may_open(p, (uint32_t)file) ||
	    process_kind(p, (uint32_t)file) != HATCH_FILE_REGULAR ||
	    !(process_file(p, (uint32_t)file)->mode & 0111))
		return -LINUX_EACCES;
	return file;
}

int64_t process_execve(struct hatch_process *p, const uint64_t a[8])
{
	char path[PROCESS_PATH];
	struct process_args *args;
	int64_t result = process_copy_text(p, a[0], path, sizeof(path));
	int error;

	if (result >= 0)
		result = find_executable(p, path);
	if (result < 0)
		return result;
	args = new_args(p);
	if (!args)
		return -LINUX_ENOMEM;
	*args = (struct process_args){ .argc = 0 };
	error = copy_list(p, args, false, a[1]);
	if (!error)
		error = copy_list(p, args, true, a[2]);
	result = error ? error : exec_file(p, (uint32_t)result, path, args);
	free_args(p, args);
	return result;
}

/* ---- From outside ---- */

static int add_list(struct process_args *args, bool environment, const char *const list[])
{
	int error = 0;

	for (unsigned int i = 0; !error && list && list[i]; i++)
		error = process_args_add(args, environment, list[i]);
	return error;
}

static int load(struct hatch_process *p, const char *path, const struct process_args *args)
{
	int64_t file = hatch_files_find(p->config.files, HATCH_FILES_ROOT, path, true);
	struct plan plan;
	int error;

	if (file < 0) {
		p->problem = "there is no such file";
		return (int)file;
	}
	error = make_plan(p, (uint32_t)file, &plan);
	return error ? error : replace(p, &plan, path, args);
}

/* For the caller, who does not speak Linux. */
static int public_error(int error)
{
	switch (error) {
	case 0:
		return 0;
	case -LINUX_ENOMEM:
	case PROCESS_STARVED:
		return HATCH_ENOMEM;
	case -LINUX_ENOEXEC:
	case -LINUX_EACCES:
		return HATCH_EFORMAT;
	case -LINUX_E2BIG:
		return HATCH_E2BIG;
	default:
		return HATCH_ENOENT;
	}
}

/* A new life: nothing of an earlier program stays but the pages, which its mappings tell of. */
static void begin(struct hatch_process *p)
{
	struct hatch_process_state *s = &p->state;

	process_open_console(p);
	memset(s->action, 0, sizeof(s->action));
	s->folder = HATCH_FILES_ROOT;
	s->mask = 022;
	s->blocked = s->wake = 0;
	s->calls = s->denied = 0;
	s->signal = 0;
	p->problem = NULL;
}

int hatch_process_start(struct hatch_process *p, const char *path, const char *const argv[],
			const char *const envp[])
{
	struct process_args *args;
	int error;

	if (!p || !path || !argv)
		return HATCH_EINVAL;
	begin(p);
	args = new_args(p);
	if (!args)
		return HATCH_ENOMEM;
	error = add_list(args, false, argv);
	if (!error)
		error = add_list(args, true, envp);
	if (error)
		p->problem = "too many arguments";
	else
		error = load(p, path, args);
	free_args(p, args);
	return public_error(error);
}
