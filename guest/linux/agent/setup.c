/* SPDX-License-Identifier: MIT */
#include "setup.h"

#include <stdlib.h>
#include <string.h>

#define NO_SENSE  "a SETUP frame makes no sense"
#define NO_MEMORY "no memory for what was asked for"

enum {
	CPUS_MOST = 64,
	DEVICES_MOST = 31,
	DISKS_MOST = 26,
};

struct value {
	const unsigned char *data;
	size_t size;
};

void setup_init(struct setup *setup)
{
	*setup = (struct setup){ .keep = -1, .cpus = 1 };
}

void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->word[i]);
	free(words->word);
	*words = (struct words){ 0 };
}

void setup_free(struct setup *setup)
{
	char *const texts[] = { setup->folder, setup->user, setup->hostname, setup->root,
				setup->term };

	words_free(&setup->arguments);
	words_free(&setup->environment);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	for (size_t i = 0; i < setup->mounts; i++) {
		free(setup->mount[i].tag);
		free(setup->mount[i].path);
	}
	setup_init(setup);
}

static bool words_grow(struct words *words)
{
	size_t room = words->room ? 2 * words->room : 64;
	char **word = realloc(words->word, room * sizeof(*word));

	if (!word)
		return false;
	words->word = word;
	words->room = room;
	return true;
}

bool words_add(struct words *words, char *word)
{
	if (words->count + 1 >= words->room && !words_grow(words)) {
		free(word);
		return false;
	}
	words->word[words->count++] = word;
	words->word[words->count] = NULL;
	return true;
}

static bool is_text(const struct value *value)
{
	return !memchr(value->data, '\0', value->size);
}

/* A text as a string in *to, in place of what was there. */
static const char *take_text(struct setup *setup, const struct value *value, char **to)
{
	char *text;

	if (!is_text(value))
		return NO_SENSE ": a text with a zero in it";
	text = strndup((const char *)value->data, value->size);
	if (!text)
		return NO_MEMORY;
	free(*to);
	*to = text;
	setup->bytes += value->size + 1;
	return NULL;
}

static bool is_too_long(struct setup *setup, const struct words *words)
{
	setup->too_long |= setup->bytes > SETUP_BYTES_MOST || words->count >= SETUP_WORDS_MOST;
	return setup->too_long;
}

static const char *take_word(struct setup *setup, const struct value *value, struct words *words)
{
	const char *problem;
	char *text = NULL;

	if (is_too_long(setup, words))
		return NULL;
	problem = take_text(setup, value, &text);
	if (problem)
		return problem;
	return words_add(words, text) ? NULL : NO_MEMORY;
}

static const char *take_variable(struct setup *setup, const struct value *value)
{
	const unsigned char *sign = memchr(value->data, '=', value->size);

	if (!sign || sign == value->data)
		return NO_SENSE ": a variable is NAME=value";
	return take_word(setup, value, &setup->environment);
}

static const char *take_number(const struct value *value, uint32_t least, uint32_t most,
			       uint32_t *to)
{
	if (value->size != sizeof(*to))
		return NO_SENSE ": a number of another size";
	*to = frame_u32(value->data);
	return *to < least || *to > most ? NO_SENSE ": a number that cannot be" : NULL;
}

static const char *take_clock(struct setup *setup, const struct value *value)
{
	if (value->size != sizeof(setup->clock))
		return NO_SENSE ": a time of another size";
	setup->clock = frame_u64(value->data);
	setup->has_clock = true;
	return NULL;
}

static const char *take_seed(struct setup *setup, const struct value *value)
{
	if (value->size < 16 || value->size > sizeof(setup->seed))
		return NO_SENSE ": a seed has 16 to 512 bytes";
	memcpy(setup->seed, value->data, value->size);
	setup->seed_size = value->size;
	return NULL;
}

static const char *take_mount_texts(struct setup *setup, const struct value *value,
				    struct setup_mount *mount)
{
	const unsigned char *end = memchr(value->data, '\0', value->size);
	struct value tag = { value->data, 0 }, path;
	const char *problem;

	if (!end || end == value->data)
		return NO_SENSE ": a mount is a tag, a zero, and a path";
	tag.size = (size_t)(end - value->data);
	path = (struct value){ end + 1, value->size - tag.size - 1 };
	if (!path.size || path.data[0] != '/')
		return NO_SENSE ": a mount's path begins with a slash";
	problem = take_text(setup, &tag, &mount->tag);
	return problem ? problem : take_text(setup, &path, &mount->path);
}

static const char *take_mount(struct setup *setup, const struct value *value)
{
	struct value how = { value->data, sizeof(uint32_t) }, texts;
	struct setup_mount *mount;
	const char *problem;
	uint32_t number;

	if (value->size < how.size || setup->mounts == SETUP_MOUNTS_MOST)
		return NO_SENSE ": a mount too short, or too many";
	texts = (struct value){ value->data + how.size, value->size - how.size };
	problem = take_number(&how, HATCH_AGENT_READ_ONLY, HATCH_AGENT_OVERLAY, &number);
	if (problem)
		return problem;
	mount = &setup->mount[setup->mounts++];
	mount->how = (enum hatch_agent_mount)number;
	return take_mount_texts(setup, &texts, mount);
}

static const char *take_keep(struct setup *setup, const struct value *value)
{
	const char *problem;
	uint32_t number;

	problem = take_number(value, 0, DISKS_MOST - 1, &number);
	if (!problem)
		setup->keep = (int)number;
	return problem;
}

static const char *take_terminal(struct setup *setup, const struct value *value)
{
	struct value term;

	if (value->size < 4)
		return NO_SENSE ": a terminal without a size";
	term = (struct value){ value->data + 4, value->size - 4 };
	setup->terminal = true;
	setup->rows = frame_u16(value->data);
	setup->columns = frame_u16(value->data + 2);
	return take_text(setup, &term, &setup->term);
}

static const char *take_flag(const struct value *value, bool *flag)
{
	*flag = true;
	return value->size ? NO_SENSE ": a value where none belongs" : NULL;
}

static const char *take_more(struct setup *setup, enum hatch_agent_key key,
			     const struct value *value)
{
	switch (key) {
	case HATCH_AGENT_BARE:
		return take_flag(value, &setup->bare);
	case HATCH_AGENT_NETWORK:
		return take_flag(value, &setup->network);
	case HATCH_AGENT_MERGE:
		return take_flag(value, &setup->merge);
	case HATCH_AGENT_CLOCK:
		return take_clock(setup, value);
	case HATCH_AGENT_SEED:
		return take_seed(setup, value);
	case HATCH_AGENT_DEVICES:
		return take_number(value, 0, DEVICES_MOST, &setup->devices);
	case HATCH_AGENT_CPUS:
		return take_number(value, 1, CPUS_MOST, &setup->cpus);
	case HATCH_AGENT_KEEP:
		return take_keep(setup, value);
	case HATCH_AGENT_MOUNT:
		return take_mount(setup, value);
	case HATCH_AGENT_TERMINAL:
		return take_terminal(setup, value);
	default:
		return NO_SENSE ": an unknown key";
	}
}

const char *setup_add(struct setup *setup, const unsigned char *data, size_t size)
{
	enum hatch_agent_key key;
	struct value value;

	if (size < 4)
		return NO_SENSE ": it is too short";
	value = (struct value){ data + 4, size - 4 };
	key = frame_u32(data);
	switch (key) {
	case HATCH_AGENT_ARGUMENT:
		return take_word(setup, &value, &setup->arguments);
	case HATCH_AGENT_ENVIRONMENT:
		return take_variable(setup, &value);
	case HATCH_AGENT_FOLDER:
		return take_text(setup, &value, &setup->folder);
	case HATCH_AGENT_USER:
		return take_text(setup, &value, &setup->user);
	case HATCH_AGENT_HOSTNAME:
		return take_text(setup, &value, &setup->hostname);
	case HATCH_AGENT_ROOT:
		return take_text(setup, &value, &setup->root);
	default:
		return take_more(setup, key, &value);
	}
}

const char *setup_check(const struct setup *setup)
{
	return setup->arguments.count ? NULL : "no program was named before START";
}
