/* SPDX-License-Identifier: MIT */
#include "oci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

enum {
	JSON_MOST = 4 << 20, /* bytes of a file of it */
	NESTED_MOST = 3,     /* an index may name another one */
};

static int refuse(const char *folder, const char *why, struct hatch_problem *problem)
{
	return hatch_problem_set(problem, HATCH_COMMAND_EIO,
				 "the image %s: %s; fetch it again, in the OCI layout", folder,
				 why);
}

/* ---- JSON ---- */

static cJSON *read_json(const char *folder, const char *file, struct hatch_problem *problem)
{
	FILE *stream = file ? fopen(file, "re") : NULL;
	char *text = malloc(JSON_MOST);
	cJSON *json = NULL;
	size_t size;

	if (!text) {
		hatch_problem_memory(problem);
	} else if (!stream) {
		hatch_problem_set(problem, HATCH_COMMAND_EIO,
				  "the image %s: cannot read %s: %s; fetch it again", folder, file,
				  strerror(errno));
	} else {
		size = fread(text, 1, JSON_MOST, stream);
		json = size < JSON_MOST ? cJSON_ParseWithLength(text, size) : NULL;
		if (!json)
			hatch_problem_set(problem, HATCH_COMMAND_EIO,
					  "the image %s is damaged: %s is no JSON; fetch it again",
					  folder, file);
	}
	if (stream)
		fclose(stream);
	free(text);
	return json;
}

static const char *text_of(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* ---- Blobs ---- */

/* It becomes a path: nothing but "sha256:" and 64 digits. */
static bool is_digest(const char *digest)
{
	return digest && !strncmp(digest, "sha256:", 7) && strlen(digest) == 71 &&
	       strspn(digest + 7, "0123456789abcdef") == 64;
}

char *hatch_oci_blob(const char *folder, const char *digest)
{
	return hatch_format("%s/blobs/sha256/%s", folder, digest + 7);
}

static cJSON *read_blob(struct hatch_oci *oci, const char *folder, const cJSON *descriptor,
			struct hatch_problem *problem)
{
	const char *digest = text_of(descriptor, "digest");
	cJSON *json;
	char *file;

	if (!is_digest(digest)) {
		refuse(folder, "a digest in it is not one of SHA-256", problem);
		return NULL;
	}
	hatch_words_add(&oci->blobs, "%s", digest);
	file = hatch_oci_blob(folder, digest);
	json = read_json(folder, file, problem);
	free(file);
	return json;
}

/* ---- From the index to the manifest ---- */

static bool is_ours(const cJSON *descriptor)
{
	const cJSON *platform = cJSON_GetObjectItemCaseSensitive(descriptor, "platform");
	const char *architecture = text_of(platform, "architecture");

	return architecture && !strcmp(architecture, "riscv64");
}

/* That for riscv64; or the only one there is, if it does not say what it is for. */
static const cJSON *choose(const cJSON *index)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(index, "manifests"), *one;

	cJSON_ArrayForEach(one, list)
	{
		if (is_ours(one))
			return one;
	}
	one = cJSON_GetArrayItem(list, 0);
	return cJSON_GetArraySize(list) == 1 && !cJSON_HasObjectItem(one, "platform") ? one : NULL;
}

/* The manifest, at the end of a chain of indices. */
static cJSON *find_manifest(struct hatch_oci *oci, const char *folder,
			    struct hatch_problem *problem)
{
	char *file = hatch_format("%s/index.json", folder);
	cJSON *json = read_json(folder, file, problem);

	free(file);
	for (int i = 0; json && cJSON_HasObjectItem(json, "manifests"); i++) {
		const cJSON *chosen = i < NESTED_MOST ? choose(json) : NULL;
		cJSON *next = chosen ? read_blob(oci, folder, chosen, problem) : NULL;

		if (!chosen)
			hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					  "the image %s has nothing for riscv64: fetch it for that "
					  "architecture",
					  folder);
		cJSON_Delete(json);
		json = next;
	}
	return json;
}

/* ---- What it says ---- */

static int add_layers(struct hatch_oci *oci, const char *folder, const cJSON *manifest,
		      struct hatch_problem *problem)
{
	const cJSON *layer;

	cJSON_ArrayForEach(layer, cJSON_GetObjectItemCaseSensitive(manifest, "layers"))
	{
		const char *digest = text_of(layer, "digest");

		if (!is_digest(digest))
			return refuse(folder, "a layer's digest is not one of SHA-256", problem);
		hatch_words_add(&oci->blobs, "%s", digest);
		hatch_words_add(&oci->layers, "%s", digest);
	}
	return oci->layers.count ? 0 : refuse(folder, "it has no layers", problem);
}

static void add_texts(struct hatch_words *words, const cJSON *list)
{
	const cJSON *one;

	cJSON_ArrayForEach(one, list)
	{
		if (cJSON_IsString(one))
			hatch_words_add(words, "%s", one->valuestring);
	}
}

static char *copy(const char *text)
{
	return text && *text ? strdup(text) : NULL;
}

static int take_config(const cJSON *json, const char *folder, struct hatch_defaults *defaults,
		       struct hatch_problem *problem)
{
	const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
	const char *architecture = text_of(json, "architecture");

	if (!architecture || strcmp(architecture, "riscv64") != 0)
		return hatch_problem_set(problem, HATCH_COMMAND_ENOENT,
					 "the image %s is for %s: fetch it for riscv64", folder,
					 architecture ? architecture : "no machine at all");
	add_texts(&defaults->environment, cJSON_GetObjectItemCaseSensitive(config, "Env"));
	add_texts(&defaults->entry, cJSON_GetObjectItemCaseSensitive(config, "Entrypoint"));
	add_texts(&defaults->arguments, cJSON_GetObjectItemCaseSensitive(config, "Cmd"));
	defaults->folder = copy(text_of(config, "WorkingDir"));
	defaults->user = copy(text_of(config, "User"));
	return 0;
}

int hatch_oci_read(struct hatch_oci *oci, const char *folder, struct hatch_defaults *defaults,
		   struct hatch_problem *problem)
{
	cJSON *manifest = find_manifest(oci, folder, problem);
	cJSON *config = NULL;

	if (manifest && !add_layers(oci, folder, manifest, problem))
		config = read_blob(oci, folder,
				   cJSON_GetObjectItemCaseSensitive(manifest, "config"), problem);
	if (config)
		take_config(config, folder, defaults, problem);
	cJSON_Delete(config);
	cJSON_Delete(manifest);
	if (!problem->error && (oci->blobs.failed || oci->layers.failed))
		hatch_problem_memory(problem);
	return problem->error;
}

void hatch_oci_free(struct hatch_oci *oci)
{
	hatch_words_free(&oci->blobs);
	hatch_words_free(&oci->layers);
}
