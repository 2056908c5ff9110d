/* SPDX-License-Identifier: MIT */
/* The library's snapshot.c writes these files: "name: value", all that a snapshot depends on. */
#include "about.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "tool.h"

enum {
	LINE_MOST = 80,
	PATH_MOST = 30,
	PATH_FIELDS = 3, /* behind a path: size, time, number */
};

#define QEMU "qemu-system-riscv64"

/* Adds what is not "", with a comma ahead where it is not the first. */
static void add(char **text, const char *part)
{
	if (*part)
		*text = hatch_text_format("%s%s%s", *text, **text ? ", " : "", part);
}

static char *memory_of(const char *value)
{
	unsigned long long mib = strtoull(value, NULL, 10) >> 20;

	return mib % 1024 ? hatch_text_format("%lluM", mib)
			  : hatch_text_format("%lluG", mib / 1024);
}

static char *processors_of(const char *value)
{
	unsigned long count = strtoul(value, NULL, 10);

	return hatch_text_format("%lu processor%s", count, count == 1 ? "" : "s");
}

/* Of $cache/KIND/VERSION/FILE the version; of another file the end of its path. */
static char *name_of(const char *value)
{
	char *path = hatch_text_format("%s", value), *cache = hatch_cache_folder(), *version;
	size_t size = strlen(cache);

	for (int i = 0; i < PATH_FIELDS && strrchr(path, ','); i++)
		*strrchr(path, ',') = '\0';
	version = strncmp(path, cache, size) || path[size] != '/' ? NULL
								  : strchr(path + size + 1, '/');
	if (version)
		return hatch_text_format("%.*s", (int)strcspn(version + 1, "/"), version + 1);
	size = strlen(path);
	return size <= PATH_MOST ? path : hatch_text_format("...%s", path + size - PATH_MOST + 3);
}

/* The one that everybody has is not worth a word. */
static char *qemu_of(const char *value)
{
	if (!strncmp(value, "/usr/bin/" QEMU ",", strlen("/usr/bin/" QEMU ",")))
		return hatch_text_format("%s", "");
	return hatch_text_format("QEMU %s", name_of(value));
}

static char *kernel_of(const char *value)
{
	return hatch_text_format("kernel %s", name_of(value));
}

static void add_line(char **text, const char *line)
{
	static const struct {
		const char *name;
		char *(*tell)(const char *value);
	} known[] = { { "memory: ", memory_of },
		      { "processors: ", processors_of },
		      { "kernel: ", kernel_of },
		      { "QEMU: ", qemu_of } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strncmp(line, known[i].name, strlen(known[i].name)))
			add(text, known[i].tell(line + strlen(known[i].name)));
	}
}

char *hatch_about_read(const char *folder)
{
	FILE *from = fopen(hatch_text_format("%s/about", folder), "re");
	char *text = hatch_text_format("%s", ""), *line = NULL;
	size_t size = 0;

	while (from && getline(&line, &size, from) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		add_line(&text, line);
	}
	if (from)
		fclose(from);
	free(line);
	if (strlen(text) > LINE_MOST)
		strcpy(text + LINE_MOST - 3, "...");
	return text;
}
