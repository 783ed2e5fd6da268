/* SPDX-License-Identifier: MIT */
/*
 * tests/host/slurp.c - a whole file in memory, decompressed if need be.
 *
 *	plain:		file ------------------------------> buffer
 *	compressed:	file --> feeder --> xz -dc --> pipe --> buffer
 *
 * The first bytes, which tell what it is, can't be put back into a pipe; so
 * for compressed standard input a child of ours, the feeder, writes them and
 * all that follows to the decompressor. A file is handed over as it is.
 * Programs are started with exec and an argument vector: no shell sees a
 * file name.
 */
#define _GNU_SOURCE
#include "slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAGIC_BYTES	6
#define FIRST_CHUNK	((size_t)64 << 10)
#define MAX_BYTES	((size_t)5 << 30)	/* no trace is so large */
#define EXIT_NO_PROGRAM	127

static const struct codec {
	const char *program, *package;
	unsigned char magic[MAGIC_BYTES];
	size_t magic_bytes;
} codecs[] = {
	{ "xz", "xz-utils", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
	{ "zstd", "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	{ "gzip", "gzip", { 0x1f, 0x8b }, 2 },
};

struct source {
	const char *name;
	int fd;
	unsigned char head[MAGIC_BYTES]; /* read already */
	size_t head_bytes;
	const struct codec *codec;
	pid_t program, feeder;	/* 0: none */
	size_t whole;		/* expected length, once it is known */
	char *error;
	size_t error_max;
};

static bool fail(struct source *s, const char *what, const char *why)
{
	snprintf(s->error, s->error_max, "%s: %s%s%s", s->name, what,
		 why ? ": " : "", why ? why : "");
	return false;
}

/* read() until the buffer is full or the end; -1 on error. */
static ssize_t read_full(int fd, unsigned char *buf, size_t n)
{
	size_t done = 0;
	ssize_t got;

	while (done < n) {
		got = read(fd, buf + done, n - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

static bool write_full(int fd, const unsigned char *buf, size_t n)
{
	ssize_t put;

	while (n) {
		put = write(fd, buf, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		buf += put;
		n -= (size_t)put;
	}
	return true;
}

static bool open_source(struct source *s, const char *path)
{
	ssize_t got;
	size_t i;

	s->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC)
				  : dup(STDIN_FILENO);
	if (s->fd < 0)
		return fail(s, "can't open it", strerror(errno));
	got = read_full(s->fd, s->head, MAGIC_BYTES);
	if (got < 0)
		return fail(s, "can't read it", strerror(errno));
	s->head_bytes = (size_t)got;
	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (s->head_bytes >= codecs[i].magic_bytes &&
		    !memcmp(s->head, codecs[i].magic, codecs[i].magic_bytes))
			s->codec = &codecs[i];
	return true;
}

/* A child: everything of s, from its first byte, into fd. Does not return. */
static void feed(const struct source *s, int fd)
{
	static unsigned char buf[FIRST_CHUNK];
	ssize_t got;

	signal(SIGPIPE, SIG_IGN);
	if (write_full(fd, s->head, s->head_bytes))
		while ((got = read_full(s->fd, buf, sizeof(buf))) > 0)
			if (!write_full(fd, buf, (size_t)got))
				break;
	_exit(0);
}

/* A child: the decompressor from fd `in` to fd `out`. Does not return. */
static void decompress(const struct codec *c, int in, int out)
{
	int null = open("/dev/null", O_WRONLY);

	/* Its complaints would come between our own lines. */
	if (null >= 0)
		dup2(null, STDERR_FILENO);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(EXIT_NO_PROGRAM - 1);
	signal(SIGPIPE, SIG_DFL);
	execlp(c->program, c->program, "-dc", (char *)NULL);
	_exit(errno == ENOENT ? EXIT_NO_PROGRAM : EXIT_NO_PROGRAM - 1);
}

/* Put a decompressor between the source and its reader. */
static bool start_codec(struct source *s)
{
	int in = -1, fed[2] = { -1, -1 }, out[2];

	if (pipe2(out, O_CLOEXEC))
		return fail(s, "can't make a pipe", strerror(errno));
	fflush(NULL);
	if (lseek(s->fd, 0, SEEK_SET) == 0) {
		in = s->fd;
	} else if (!pipe2(fed, O_CLOEXEC)) {
		in = fed[0];
		s->feeder = fork();
		if (s->feeder == 0) {
			close(fed[0]);
			close(out[0]);
			close(out[1]);
			feed(s, fed[1]);
		}
	}
	if (in >= 0 && s->feeder >= 0)
		s->program = fork();
	else
		s->program = -1;
	if (s->program == 0)
		decompress(s->codec, in, out[1]);
	close(out[1]);
	close(s->fd);
	if (fed[0] >= 0) {
		close(fed[0]);
		close(fed[1]);
	}
	s->fd = out[0];
	s->head_bytes = 0;
	if (s->program > 0)
		return true;
	s->program = 0;
	return fail(s, "can't start a process", strerror(errno));
}

static unsigned char *read_all(struct source *s, slurp_expect_fn expect,
			       size_t *n)
{
	size_t max = FIRST_CHUNK, have = s->head_bytes, want;
	unsigned char *buf = malloc(max), *grown;
	ssize_t got;

	if (buf)
		memcpy(buf, s->head, have);
	while (buf) {
		if (!s->whole && have)
			s->whole = expect(buf, have);
		if (s->whole && have > s->whole)
			break;
		if (have == max) {
			max *= 2;
			grown = max > MAX_BYTES ? NULL : realloc(buf, max);
			if (!grown) {
				free(buf);
				buf = NULL;
				break;
			}
			buf = grown;
		}
		want = max - have;
		if (s->whole && want > s->whole + 1 - have)
			want = s->whole + 1 - have;
		got = read_full(s->fd, buf + have, want);
		if (got < 0) {
			fail(s, "can't read it", strerror(errno));
			free(buf);
			return NULL;
		}
		if (got == 0)
			break;
		have += (size_t)got;
	}
	*n = have;
	if (!buf)
		fail(s, "too large for the memory of this machine", NULL);
	return buf;
}

/*
 * The children are gone when this returns. Whether the decompressor was
 * content matters only if its output was read to the end.
 */
static bool end_codec(struct source *s, bool read_to_end)
{
	char why[128];
	int status = 0;

	if (s->feeder > 0) {
		if (!read_to_end)
			kill(s->feeder, SIGTERM);
		waitpid(s->feeder, NULL, 0);
	}
	if (s->program <= 0)
		return true;
	waitpid(s->program, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PROGRAM) {
		snprintf(why, sizeof(why), "it is compressed, and the program"
			 " '%s' is missing: install the package %s",
			 s->codec->program, s->codec->package);
		return fail(s, why, NULL);
	}
	if (!read_to_end || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return true;
	snprintf(why, sizeof(why), "%s can't decompress it: it is damaged or "
		 "cut short", s->codec->program);
	return fail(s, why, NULL);
}

unsigned char *slurp(const char *path, slurp_expect_fn expect, size_t *n,
		     char *error, size_t error_max)
{
	struct source s = {
		.name = strcmp(path, "-") ? path : "standard input",
		.fd = -1, .error = error, .error_max = error_max,
	};
	unsigned char *buf = NULL;
	bool to_end;

	*n = 0;
	error[0] = '\0';
	if (open_source(&s, path) && (!s.codec || start_codec(&s)))
		buf = read_all(&s, expect, n);
	if (s.fd >= 0)
		close(s.fd);
	to_end = buf && !(s.whole && *n > s.whole);
	if (!end_codec(&s, to_end)) {
		free(buf);
		buf = NULL;
	}
	return buf;
}
