// SPDX-License-Identifier: MIT
/*
 * main.c - measure one column of the table.
 *
 *	attacks COLUMN RUNS		a line for each cell, for table.awk
 *	attacks COLUMN RUNS ROW		of the rows whose text contains that,
 *					and what each run had to say
 *	attacks rows			is KMEM_HARDEN an option here? the rows
 *
 * Each run is a process, so that one that crashes is a run that crashed. Its
 * seed depends on the row, the kind and its number only (and on KMEM_SEED): all
 * columns see the same attacks.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

#define RUN_SECONDS	240

static const char *const column_name[NR_COLUMNS] = {
	"default", "hardened", "debug",
};
static const char *const kind_name[NR_KINDS + 1] = {
	"kmalloc", "kmem_cache", "kmalloc, large", "pages", "-",
};
static const char *const promise_name[] = {
	"nothing", "always", "holds", "", "later", "later", "later",
};

static const struct attack *const files[] = {
	free_attacks, page_attacks, memory_attacks, cache_attacks,
};

struct cell {
	unsigned runs, ended[CRASHED + 1];
	/* when it was found, and how often */
	struct stage {
		char name[24];
		unsigned n;
	} stage[4];
	char text[640];		/* the first that was not right */
};

/* Shared with the process of the run. */
static struct outcome *shared;
static bool verbose;

static uint64_t hash(const char *text, uint64_t seed)
{
	while (*text)
		seed = (seed ^ (unsigned char)*text++) * 0x100000001b3u;
	return seed;
}

static void child(const struct attack *a, enum kind kind, enum column column,
		  uint64_t seed)
{
	alarm(RUN_SECONDS);
	run_attack(a, kind, column, seed, shared);
	_exit(0);
}

static enum end run_once(const struct attack *a, enum kind kind,
			 enum column column, uint64_t seed)
{
	int status = 0;
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(a, kind, column, seed);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return CRASHED;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return shared->end;
	snprintf(shared->text, sizeof(shared->text), "signal %d, status %d",
		 WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		 WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	return CRASHED;
}

static void count_stage(struct cell *c, const char *name)
{
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(c->stage); i++) {
		struct stage *s = &c->stage[i];

		if (s->n && strcmp(s->name, name))
			continue;
		snprintf(s->name, sizeof(s->name), "%s", name);
		s->n++;
		return;
	}
}

static void count(struct cell *c, enum end end)
{
	c->runs++;
	c->ended[end]++;
	if (end == DETECTED && *shared->stage)
		count_stage(c, shared->stage);
	if (end > MISSED && !*c->text)
		snprintf(c->text, sizeof(c->text), "%s", shared->text);
	if (verbose)
		printf("  %s%s: %s\n", end == DETECTED ? "detected " :
		       end == MISSED ? "missed" : end == WRONG ? "wrong report" :
		       end == UNSOUND ? "unsound" : "crashed",
		       end == DETECTED ? shared->stage : "", shared->text);
}

static void measure(const struct attack *a, enum kind kind,
		    enum column column, unsigned runs)
{
	const char *given = getenv("KMEM_SEED");
	uint64_t seed = hash(a->what, given ? strtoull(given, NULL, 0) : 1) +
			kind;
	struct cell c = { .runs = 0 };

	for (uint64_t i = 0; c.runs < runs && i < 20 * (uint64_t)runs; i++) {
		uint64_t of_run = seed + (i << 32);
		enum end end = run_once(a, kind, column, test_random(&of_run));

		if (end != CAME_TO_NOTHING)
			count(&c, end);
	}
	printf("%s|%s|%s|%s|%u|%u|%u|%u|%u|", a->what, kind_name[kind],
	       column_name[column], promise_name[a->promise[column]], c.runs,
	       c.ended[DETECTED], c.ended[WRONG], c.ended[UNSOUND],
	       c.ended[CRASHED]);
	for (unsigned i = 0; i < KMEM_ARRAY_SIZE(c.stage); i++)
		if (c.stage[i].n)
			printf("%s%u %s", i ? ", " : "", c.stage[i].n,
			       c.stage[i].name);
	printf("|%s\n", c.text);
}

static void each_kind(const struct attack *a, enum column column,
		      unsigned runs)
{
	for (unsigned k = 0; k <= NR_KINDS; k++)
		if (a->kinds & BIT(k))
			measure(a, (enum kind)k, column, runs);
}

int main(int argc, char **argv)
{
	unsigned column = 0, runs;

	if (argc < 3) {
#ifdef KMEM_HARDEN
		printf("KMEM_HARDEN\n");
#endif
		return argc != 2;
	}
	while (column < NR_COLUMNS && strcmp(argv[1], column_name[column]))
		column++;
	runs = (unsigned)strtoul(argv[2], NULL, 10);
	if (column == NR_COLUMNS || !runs)
		return EXIT_FAILURE;
	verbose = argc > 3;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(shared != MAP_FAILED);
	for (unsigned f = 0; f < KMEM_ARRAY_SIZE(files); f++)
		for (const struct attack *a = files[f]; a->what; a++)
			if (argc < 4 || strstr(a->what, argv[3]))
				each_kind(a, (enum column)column, runs);
	return EXIT_SUCCESS;
}
