// SPDX-License-Identifier: MIT
/*
 * tests/explore/main.c - explore [options] [NAME...]
 *
 *	-n N	at most N schedules of a scenario, by their order
 *	-r N	then N at random, without a bound
 *	-b N	preemptions, in place of the scenarios' bounds; 0: any number
 *	-j N	processes, which share out the scenarios
 *	-s D	replay these decisions of one scenario, and print each access
 *	-e	also the schedules that can't make a difference (schedule.c)
 *	-f	the first failure ends it
 *
 * Prints for each scenario how many contexts there are (CPUs, and interrupts
 * that may land in them), within how many preemptions, and if that was all of
 * them; how many schedules, and how many different states they ended in. The
 * last line is "N passed, N failed".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"

static struct options {
	uint64_t most, at_random;
	int bound;			/* -1: the scenarios' */
	unsigned processes;
	const char *replay;
	bool first;
	char **names;
} options = { .most = 100000, .at_random = 20000, .bound = -1,
	      .processes = 1 };

/* What the processes share. */
static struct {
	size_t next;			/* scenario that nobody has yet */
	bool stop;
	uint64_t schedules;
	unsigned passed, failed, complete;
} *all;

static const struct scenario *scenario_nr(size_t i)
{
	static const struct scenario_list *const lists[] = {
		&core_scenarios, &module_scenarios, &memory_scenarios,
		&later_scenarios,
	};

	for (unsigned k = 0; k < 4; i -= lists[k++]->nr)
		if (i < lists[k]->nr)
			return &lists[k]->scenario[i];
	return NULL;
}

static bool wanted(const char *name)
{
	char **n = options.names;

	if (!*n)
		return true;
	while (*n && strcmp(name, *n))
		n++;
	return *n;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned contexts(const struct scenario *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CPUS; i++)
		n += !s->body[i] ? 0 :
		     s->irq[i] || s->nmi[i] ? 1 + (s->irqs ? s->irqs : 1) : 1;
	return n;
}

/* One write: processes print at the same time. */
static void print_result(const struct scenario *s, const struct explored *e,
			 bool ok, double took)
{
	char bound[24] = "any", line[sizeof(e->failure) + 200];
	int n;

	if (s->bound)
		snprintf(bound, sizeof(bound), "%u", s->bound);
	n = snprintf(line, sizeof(line), "%-6s %-22s %8u %7s %-4s %10" PRIu64
		     " %8" PRIu64 " %8" PRIu64 " %7.1f\n",
		     ok ? "ok" : "FAILED", s->name, contexts(s), bound,
		     e->all ? "all" : "no", e->schedules, e->random, e->ends,
		     took);
	if (!ok)
		n += snprintf(line + n, sizeof(line) - (size_t)n,
			      "\t%s\n\tmake explore SCENARIO=%s REPLAY=%s\n",
			      e->failure, s->name, e->decisions);
	fflush(stdout);
	if (write(1, line, (size_t)n) < 0)
		exit(2);
}

bool explore_stop(void)
{
	return __atomic_load_n(&all->stop, __ATOMIC_RELAXED);
}

static void run(struct scenario s)
{
	uint64_t at_random = options.at_random;
	double start = seconds();
	struct explored e;
	bool ok;

	if (s.at_random && at_random > s.at_random)
		at_random = s.at_random;
	if (options.bound >= 0)
		s.bound = (unsigned)options.bound;
	ok = options.replay ? explore_replay(&s, options.replay, &e) :
	     explore(&s, options.most, at_random, 88172645463325252u, &e);
	if (ok && explore_stop())
		return;
	print_result(&s, &e, ok, seconds() - start);
	__atomic_add_fetch(ok ? &all->passed : &all->failed, 1,
			   __ATOMIC_RELAXED);
	__atomic_add_fetch(&all->complete, e.all, __ATOMIC_RELAXED);
	__atomic_add_fetch(&all->schedules, e.schedules + e.random,
			   __ATOMIC_RELAXED);
	if (!ok && options.first)
		all->stop = true;
}

static int work(void)
{
	const struct scenario *s;

	while (!explore_stop() && (s = scenario_nr(__atomic_fetch_add(&all->next, 1,
						__ATOMIC_RELAXED))))
		if (wanted(s->name))
			run(*s);
	return 0;
}

/* A process that dies has failed too. */
static void work_in_processes(void)
{
	int status;

	for (unsigned i = 1; i < options.processes; i++)
		if (!fork())
			_exit(work());
	work();
	while (wait(&status) > 0)
		if (status)
			all->failed++;
}

static void parse(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "b:efj:n:r:s:")) != -1) {
		uint64_t n = optarg ? strtoull(optarg, NULL, 0) : 0;

		switch (option) {
		case 'b':
			options.bound = (int)n;
			break;
		case 'e':
			explore_every = true;
			break;
		case 'f':
			options.first = true;
			break;
		case 'j':
			options.processes = (unsigned)n;
			break;
		case 'n':
			options.most = n;
			break;
		case 'r':
			options.at_random = n;
			break;
		case 's':
			options.replay = optarg;
			break;
		default:
			exit(2);
		}
	}
	options.names = argv + optind;
}

int main(int argc, char **argv)
{
	double start = seconds();

	parse(argc, argv);
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return 2;
	printf("%-6s %-22s %8s %7s %-4s %10s %8s %8s %7s\n", "", "scenario",
	       "contexts", "bound", "all?", "schedules", "random", "ends",
	       "seconds");
	fflush(stdout);
	work_in_processes();
	printf("%" PRIu64 " schedules in %.0f s; of %u scenarios all schedules "
	       "within the bound\n%u passed, %u failed\n", all->schedules,
	       seconds() - start, all->complete, all->passed, all->failed);
	return all->failed || !all->passed;
}
