/* SPDX-License-Identifier: MIT */
/* The agent's frames and what SETUP says: in pieces of any size, and when they make no sense. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

#include "setup.h"

struct line {
	int fd[2];
	unsigned char bytes[4096];
	struct inbox in;
};

static void open_line(struct line *line)
{
	assert_int_equal(pipe2(line->fd, O_NONBLOCK), 0);
	line->in = (struct inbox){ .bytes = line->bytes, .room = sizeof(line->bytes) };
}

static void close_line(struct line *line)
{
	close(line->fd[0]);
	close(line->fd[1]);
}

static void put(struct line *line, const void *bytes, size_t size)
{
	assert_int_equal(write(line->fd[1], bytes, size), size);
}

static void frames_come_in_pieces(void **state)
{
	unsigned char sent[64];
	struct frame frame;
	struct line line;

	open_line(&line);
	memset(frame_header(sent, HATCH_AGENT_DATA, 5), 'x', 5);
	frame_header(sent + 13, HATCH_AGENT_END, 0);
	for (size_t i = 0; i < 21; i++) {
		assert_int_equal(frame_next(&line.in, 5, &frame), FRAME_NONE);
		assert_int_equal(inbox_fill(&line.in, line.fd[0]), -1);
		put(&line, sent + i, 1);
		assert_int_equal(inbox_fill(&line.in, line.fd[0]), 1);
		if (i == 12) {
			assert_int_equal(frame_next(&line.in, 5, &frame), FRAME_WHOLE);
			assert_int_equal(frame.type, HATCH_AGENT_DATA);
			assert_memory_equal(frame.data, "xxxxx", 5);
		}
	}
	assert_int_equal(frame_next(&line.in, 5, &frame), FRAME_WHOLE);
	assert_int_equal(frame.type, HATCH_AGENT_END);
	assert_int_equal(inbox_size(&line.in), 0);
	close(line.fd[1]);
	assert_int_equal(inbox_fill(&line.in, line.fd[0]), 0);
	close(line.fd[0]);
}

static void too_long_a_frame_is_bad(void **state)
{
	unsigned char sent[8];
	struct frame frame;
	struct line line;

	open_line(&line);
	frame_header(sent, HATCH_AGENT_DATA, 0xfffffff8);
	put(&line, sent, sizeof(sent));
	inbox_fill(&line.in, line.fd[0]);
	assert_int_equal(frame_next(&line.in, 65536, &frame), FRAME_BAD);
	assert_int_equal(frame_next_header(&line.in, 65536, &frame), FRAME_BAD);
	close_line(&line);
}

/* However much is sent and taken at once, the bytes stay the same. */
static void an_inbox_wraps(void **state)
{
	unsigned char sent = 0, wanted = 0, bytes[700];
	struct line line;
	size_t size;

	open_line(&line);
	for (int i = 0; i < 2000; i++) {
		size = random_below(sizeof(bytes));
		for (size_t k = 0; k < size; k++)
			bytes[k] = sent++;
		put(&line, bytes, size);
		inbox_fill(&line.in, line.fd[0]);
		size = random_below(inbox_size(&line.in) + 1);
		while (size--)
			assert_int_equal(line.bytes[line.in.start++], wanted++);
		while (inbox_size(&line.in) > 2048)
			assert_int_equal(line.bytes[line.in.start++], wanted++);
	}
	close_line(&line);
}

static const char *add(struct setup *setup, uint32_t key, const void *value, size_t size)
{
	unsigned char *data = malloc(4 + size); /* of exactly that size, for the sanitizer */
	const char *problem;

	frame_put_u32(data, key);
	if (size)
		memcpy(data + 4, value, size);
	problem = setup_add(setup, data, 4 + size);
	free(data);
	return problem;
}

static const char *add_text(struct setup *setup, uint32_t key, const char *text)
{
	return add(setup, key, text, strlen(text));
}

static void all_keys_are_taken(void **state)
{
	struct setup s;

	setup_init(&s);
	assert_non_null(setup_check(&s));
	assert_null(add_text(&s, HATCH_AGENT_ARGUMENT, "ls"));
	assert_null(add_text(&s, HATCH_AGENT_ARGUMENT, ""));
	assert_null(add_text(&s, HATCH_AGENT_ENVIRONMENT, "A=b=c"));
	assert_null(add(&s, HATCH_AGENT_BARE, NULL, 0));
	assert_null(add_text(&s, HATCH_AGENT_FOLDER, "/a"));
	assert_null(add_text(&s, HATCH_AGENT_FOLDER, "/b"));
	assert_null(add_text(&s, HATCH_AGENT_USER, "nobody:0"));
	assert_null(add_text(&s, HATCH_AGENT_HOSTNAME, "box"));
	assert_null(add(&s, HATCH_AGENT_CLOCK, "\1\0\0\0\0\0\0\1", 8));
	assert_null(add(&s, HATCH_AGENT_SEED, "0123456789abcdef", 16));
	assert_null(add(&s, HATCH_AGENT_DEVICES, "\3\0\0\0", 4));
	assert_null(add(&s, HATCH_AGENT_CPUS, "\2\0\0\0", 4));
	assert_null(add(&s, HATCH_AGENT_NETWORK, NULL, 0));
	assert_null(add(&s, HATCH_AGENT_MOUNT, "\2\0\0\0tag\0/x y", 12));
	assert_null(add_text(&s, HATCH_AGENT_ROOT, "root"));
	assert_null(add(&s, HATCH_AGENT_KEEP, "\1\0\0\0", 4));
	assert_null(add(&s, HATCH_AGENT_TERMINAL, "\30\0\120\0vt", 6));
	assert_null(add(&s, HATCH_AGENT_MERGE, NULL, 0));
	assert_null(setup_check(&s));
	assert_int_equal(s.arguments.count, 2);
	assert_string_equal(s.arguments.word[1], "");
	assert_null(s.arguments.word[2]);
	assert_string_equal(s.folder, "/b");
	assert_int_equal(s.clock, (UINT64_C(1) << 56) + 1);
	assert_string_equal(s.mount[0].path, "/x y");
	assert_string_equal(s.mount[0].tag, "tag");
	assert_int_equal(s.keep, 1);
	assert_int_equal(s.rows, 24);
	assert_int_equal(s.columns, 80);
	assert_string_equal(s.term, "vt");
	setup_free(&s);
}

static void nonsense_is_refused(void **state)
{
	struct setup s;

	setup_init(&s);
	assert_non_null(setup_add(&s, (const unsigned char *)"abc", 3));
	assert_non_null(add(&s, 0, NULL, 0));
	assert_non_null(add(&s, 99, NULL, 0));
	assert_non_null(add(&s, HATCH_AGENT_ARGUMENT, "a\0b", 3));
	assert_non_null(add_text(&s, HATCH_AGENT_ENVIRONMENT, "none"));
	assert_non_null(add_text(&s, HATCH_AGENT_ENVIRONMENT, "=x"));
	assert_non_null(add(&s, HATCH_AGENT_ENVIRONMENT, "A=\0", 3));
	assert_non_null(add(&s, HATCH_AGENT_CLOCK, "1234567", 7));
	assert_non_null(add(&s, HATCH_AGENT_SEED, "short", 5));
	assert_non_null(add(&s, HATCH_AGENT_DEVICES, "\0\1\0\0", 4));
	assert_non_null(add(&s, HATCH_AGENT_CPUS, "\0\0\0\0", 4));
	assert_non_null(add(&s, HATCH_AGENT_CPUS, "\1\0", 2));
	assert_non_null(add(&s, HATCH_AGENT_NETWORK, "x", 1));
	assert_non_null(add(&s, HATCH_AGENT_MOUNT, "\3\0\0\0t\0/", 7));
	assert_non_null(add(&s, HATCH_AGENT_MOUNT, "\0\0\0\0t", 5));
	assert_non_null(add(&s, HATCH_AGENT_MOUNT, "\0\0\0\0\0/", 6));
	assert_non_null(add(&s, HATCH_AGENT_MOUNT, "\0\0\0\0t\0x", 7));
	assert_non_null(add(&s, HATCH_AGENT_MOUNT, "\0\0", 2));
	assert_non_null(add(&s, HATCH_AGENT_KEEP, "\200\0\0\0", 4));
	assert_non_null(add(&s, HATCH_AGENT_TERMINAL, "\1\1", 2));
	setup_free(&s);
}

static void too_much_is_dropped(void **state)
{
	static char text[128 * 1024];
	struct setup s;

	setup_init(&s);
	for (int i = 0; i < 200; i++)
		assert_null(add(&s, HATCH_AGENT_ARGUMENT, memset(text, 'a', sizeof(text)),
				sizeof(text)));
	assert_true(s.too_long);
	assert_true(s.bytes <= SETUP_BYTES_MOST + sizeof(text) + 1);
	setup_free(&s);
}

/* Random bytes, some of them nearly right: no crash, no leak, and what was taken stays in bounds. */
static void random_frames(void **state)
{
	unsigned char value[64];
	struct setup s;
	size_t size;

	for (int i = 0; i < 20000; i++) {
		setup_init(&s);
		for (int k = 0; k < 20; k++) {
			size = random_below(sizeof(value));
			for (size_t b = 0; b < size; b++)
				value[b] = (unsigned char)(random_below(3) ? random_below(4)
									   : random_bits());
			add(&s, (uint32_t)random_below(18), value, size);
		}
		assert_true(s.mounts <= SETUP_MOUNTS_MOST);
		assert_true(s.seed_size <= SETUP_SEED_MOST);
		setup_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_come_in_pieces), cmocka_unit_test(too_long_a_frame_is_bad),
		cmocka_unit_test(an_inbox_wraps),	 cmocka_unit_test(all_keys_are_taken),
		cmocka_unit_test(nonsense_is_refused),	 cmocka_unit_test(too_much_is_dropped),
		cmocka_unit_test(random_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
