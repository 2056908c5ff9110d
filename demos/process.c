/* SPDX-License-Identifier: MIT */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>

#include <hatch/board.h>

void demo_check(int error, const char *what)
{
	if (!error)
		return;
	printf("%s: %s: %s\n", what, hatch_error_name(error), hatch_error_text(error));
	exit(1);
}

void demo_read_files(struct hatch_files *files)
{
	const struct hatch_memory *memory = hatch_board_memory();
	int64_t size = hatch_board_blob_size("files");
	void *archive;
	int error;

	demo_check(size < 0 ? (int)size : 0, "the files, which `hatch demo` brings along");
	archive = memory->alloc(memory->arg, (size_t)size, HATCH_PAGE_SIZE);
	demo_check(archive ? 0 : HATCH_ENOMEM, "memory for the files");
	demo_check(hatch_board_blob_read("files", archive, (size_t)size), "the files");
	error = hatch_files_init(files, memory, archive, (size_t)size);
	if (files->problem)
		printf("byte %lu of the archive: %s\n", (unsigned long)files->at, files->problem);
	demo_check(error, "the files");
}

void demo_process_begin(struct demo_process *demo, const struct hatch_process_config *config,
			const char *path, const char *const argv[])
{
	int error;

	demo_check(hatch_guest_init(&demo->guest, hatch_board_memory()), "the guest");
	demo_check(hatch_vcpu_init(&demo->vcpu, &demo->guest), "the vcpu");
	demo_check(hatch_process_init(&demo->process, &demo->vcpu, config), "the process");
	error = hatch_process_start(&demo->process, path, argv, NULL);
	if (error && demo->process.problem)
		printf("%s: %s\n", path, demo->process.problem);
	demo_check(error, path);
	demo_check(hatch_try_init(&demo->t, &demo->vcpu), "the try");
	demo_check(hatch_process_enter(&demo->process, &demo->t), "its clauses");
}

void demo_process_end(struct demo_process *demo)
{
	hatch_process_fini(&demo->process);
	hatch_guest_fini(&demo->guest);
}
