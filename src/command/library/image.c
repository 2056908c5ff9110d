/* SPDX-License-Identifier: MIT */
/*
 * A folder is used as it is. All else is unpacked once, into the cache's image-root/<key>/root, whose
 * folder only its owner may enter: programs in it may be setuid.
 */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "cache.h"
#include "merge.h"
#include "oci.h"
#include "process.h"
#include "tool.h"

/* ---- Planning ---- */

static int set_root(struct hatch_plan *plan, const struct hatch_bytes *identity,
		    struct hatch_problem *problem)
{
	if (!identity->failed)
		plan->image_root = hatch_format(
			"%s/image-root/%016llx/root", plan->places.cache,
			(unsigned long long)hatch_hash(identity->data, identity->size));
	return plan->image && plan->image_root ? 0 : hatch_problem_memory(problem);
}

/* The digest of what the index leads to names all the rest. */
static int plan_oci(struct hatch_plan *plan, struct hatch_problem *problem)
{
	struct hatch_bytes identity = { 0 };
	struct hatch_oci oci = { 0 };

	plan->layered = true;
	if (!hatch_oci_read(&oci, plan->image, &plan->defaults, problem)) {
		for (size_t i = 0; i < oci.blobs.count; i++)
			hatch_bytes_add(&identity, oci.blobs.item[i], strlen(oci.blobs.item[i]));
		set_root(plan, &identity, problem);
	}
	hatch_oci_free(&oci);
	hatch_bytes_free(&identity);
	return problem->error;
}

static int plan_archive(struct hatch_plan *plan, struct hatch_problem *problem)
{
	struct hatch_bytes identity = { 0 };

	if (!hatch_places_check("image", plan->image, problem) &&
	    !hatch_archive_check(plan->image, problem)) {
		hatch_places_identify(&identity, "archive", plan->image);
		set_root(plan, &identity, problem);
	}
	hatch_bytes_free(&identity);
	return problem->error;
}

static bool has(const char *folder, const char *name)
{
	char *path = hatch_format("%s/%s", folder, name);
	bool found = path && !access(path, F_OK);

	free(path);
	return found;
}

static int plan_folder(struct hatch_plan *plan, struct hatch_problem *problem)
{
	if (has(plan->image, "index.json") || has(plan->image, "oci-layout"))
		return plan_oci(plan, problem);
	plan->image_root = plan->image;
	plan->image = NULL;
	if (access(plan->image_root, R_OK | X_OK))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot read the folder %s: %s; check its owner and mode",
					 plan->image_root, strerror(errno));
	return 0;
}

int hatch_image_plan(struct hatch_plan *plan, const struct hatch_command *command,
		     struct hatch_problem *problem)
{
	struct stat status;

	if (!command->image)
		return 0;
	plan->image = realpath(command->image, NULL);
	if (!plan->image || stat(plan->image, &status))
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "cannot find the image %s: %s; check the path",
					 command->image, strerror(errno));
	return S_ISDIR(status.st_mode) ? plan_folder(plan, problem) : plan_archive(plan, problem);
}

/* ---- Unpacking ---- */

/* The path of a program of this machine as the first word. */
static int begin_words(struct hatch_words *words, const char *program,
		       struct hatch_problem *problem)
{
	char *path = hatch_places_program(program);

	if (!path)
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "no program %s in PATH: install it", program);
	hatch_words_add(words, "%s", path);
	free(path);
	return 0;
}

/* tar's own words, and what to do. */
static int run_tar(struct hatch_child *child, struct hatch_words *words,
		   struct hatch_problem *problem)
{
	char *what = hatch_format("unpacking the image %s", child->plan.image);
	struct hatch_problem said = { 0 };

	if (!what)
		return hatch_problem_memory(problem);
	hatch_tool_run(child, what, words, "Cannot mknod", NULL, &said);
	if (said.error == HATCH_COMMAND_EIO)
		hatch_problem_set(problem, said.error,
				  "%s; free the disk if it is full, or else fetch or make the "
				  "image again",
				  said.text);
	else
		*problem = said;
	free(what);
	return problem->error;
}

/* tar itself refuses names that lead elsewhere, and makes such links last. */
static int unpack(struct hatch_child *child, const char *archive, const char *folder,
		  struct hatch_problem *problem)
{
	struct hatch_words words = { 0 };

	if (mkdir(folder, 0700))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot make %s: %s; free the "
					 "disk",
					 folder, strerror(errno));
	if (begin_words(&words, "tar", problem))
		return problem->error;
	hatch_words_add(&words, "--extract");
	hatch_words_add(&words, "--no-same-owner");
	hatch_words_add(&words, "--preserve-permissions");
	hatch_words_add(&words, "--directory=%s", folder);
	hatch_words_add(&words, "--file=%s", archive);
	run_tar(child, &words, problem);
	hatch_words_free(&words);
	return problem->error;
}

/* One layer on top of what is there. */
static int add_layer(struct hatch_child *child, const char *scratch, const char *archive,
		     struct hatch_problem *problem)
{
	char *layer = hatch_format("%s/layer", scratch), *root = hatch_format("%s/root", scratch);

	if (!layer || !root || !archive)
		hatch_problem_memory(problem);
	else if (!unpack(child, archive, layer, problem) &&
		 hatch_merge(layer, root, child->plan.layered))
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "cannot unpack the image into %s: %s; free the disk", scratch,
				  strerror(errno));
	if (layer)
		hatch_tree_remove(layer);
	free(layer);
	free(root);
	return problem->error;
}

static int check_blob(struct hatch_child *child, const char *digest, struct hatch_problem *problem)
{
	char *blob = hatch_oci_blob(child->plan.image, digest), *line = NULL;
	struct hatch_words words = { 0 };

	if (!blob)
		return hatch_problem_memory(problem);
	if (access(blob, F_OK))
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "the image %s is damaged: %s is missing; fetch it again",
				  child->plan.image, blob);
	else if (!begin_words(&words, "sha256sum", problem)) {
		hatch_words_add(&words, "%s", blob);
		hatch_tool_run(child, "checking the image", &words, NULL, &line, problem);
	}
	if (!problem->error && strncmp(line, digest + 7, 64) != 0)
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "the image %s is damaged: %s is not what its name says; fetch it "
				  "again",
				  child->plan.image, blob);
	hatch_words_free(&words);
	free(line);
	free(blob);
	return problem->error;
}

static int unpack_oci(struct hatch_child *child, const char *scratch, struct hatch_problem *problem)
{
	struct hatch_defaults defaults = { 0 };
	struct hatch_oci oci = { 0 };

	hatch_oci_read(&oci, child->plan.image, &defaults, problem);
	for (size_t i = 0; !problem->error && i < oci.blobs.count; i++)
		check_blob(child, oci.blobs.item[i], problem);
	for (size_t i = 0; !problem->error && i < oci.layers.count; i++) {
		char *blob = hatch_oci_blob(child->plan.image, oci.layers.item[i]);

		add_layer(child, scratch, blob, problem);
		free(blob);
	}
	hatch_oci_free(&oci);
	hatch_defaults_free(&defaults);
	return problem->error;
}

/* What came out may be no root at all. An empty folder can be removed, and is of no use. */
static int check_root(const struct hatch_child *child, const char *root,
		      struct hatch_problem *problem)
{
	const char *image = child->plan.image;

	if (!rmdir(root))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the image %s has no files: give one of a whole root file "
					 "system",
					 image);
	if (has(root, "oci-layout"))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "the image %s is an OCI layout in an archive: unpack it, "
					 "and give the folder",
					 image);
	return 0;
}

static int fill(struct hatch_child *child, const char *scratch, const char *root,
		struct hatch_problem *problem)
{
	if (mkdir(root, 0755))
		return hatch_problem_set(problem, HATCH_COMMAND_EIO,
					 "cannot write %s: %s; free "
					 "the disk",
					 scratch, strerror(errno));
	hatch_child_tell(child, "unpacking the image %s", child->plan.image);
	if (child->plan.layered)
		unpack_oci(child, scratch, problem);
	else
		add_layer(child, scratch, child->plan.image, problem);
	return problem->error ? problem->error : check_root(child, root, problem);
}

static int make(struct hatch_child *child, struct hatch_making *making, const char *target,
		struct hatch_problem *problem)
{
	char *root = hatch_format("%s/root", making->scratch);

	if (!root)
		hatch_problem_memory(problem);
	else if (!fill(child, making->scratch, root, problem))
		hatch_cache_publish(making, target, problem);
	free(root);
	return problem->error;
}

/* Whether it is there, and stays: who removes one takes its lock first. */
static bool hold(struct hatch_plan *plan, const char *target)
{
	hatch_close(&plan->image_lock);
	plan->image_lock = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return plan->image_lock >= 0 && !flock(plan->image_lock, LOCK_SH | LOCK_NB) &&
	       !access(plan->image_root, F_OK);
}

static void find_or_make(struct hatch_child *child, const char *target,
			 struct hatch_problem *problem)
{
	char *kind = hatch_format("image-root-%s", strrchr(target, '/') + 1);
	struct hatch_making making = { 0 };

	if (!kind)
		hatch_problem_memory(problem);
	else if (!hatch_cache_enter(child, kind, &making, problem) && !hold(&child->plan, target) &&
		 !make(child, &making, target, problem) && !hold(&child->plan, target))
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "%s was removed as soon as it was unpacked: run it again",
				  target);
	hatch_cache_leave(&making);
	free(kind);
}

int hatch_image_make(struct hatch_child *child, struct hatch_problem *problem)
{
	const char *root = child->plan.image_root;
	char *target;

	if (!child->plan.image)
		return 0;
	target = strndup(root, strlen(root) - strlen("/root"));
	if (!target)
		hatch_problem_memory(problem);
	else if (!hold(&child->plan, target))
		find_or_make(child, target, problem);
	free(target);
	return problem->error;
}
