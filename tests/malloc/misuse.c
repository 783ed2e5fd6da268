/* SPDX-License-Identifier: MIT */
/*
 * misuse.c - what a program must not do: named on stderr, and the process
 * ends; with KMEM_MALLOC_ON_MISUSE=report it goes on, and nothing has
 * happened.
 */
#include "check.h"

#include <signal.h>
#include <sys/wait.h>

static void *volatile opaque;

static void *hide(void *p)
{
	opaque = p;
	return opaque;
}

static void double_free(void)
{
	void *p = hide(malloc(100));

	free(p);
	free(hide(p));
}

static void double_free_large(void)
{
	void *p = hide(malloc(100000));

	free(p);
	free(hide(p));
}

static void double_free_mapped(void)
{
	void *p = hide(malloc(10 << 20));

	free(p);
	free(hide(p));
}

static void interior(void)
{
	char *p = hide(malloc(100));

	free(hide(p + 16));
}

static void interior_large(void)
{
	char *p = hide(malloc(1 << 20));

	free(hide(p + (256 << 10)));
}

static void foreign(void)
{
	static char data[64];
	char stack[64];

	free(hide(data + 32));
	free(hide(stack + 32));
}

static void never_used(void)
{
	char *p = hide(malloc(1 << 20));

	free(hide(p + (256 << 20)));	/* in the arena, far beyond */
}

static void realloc_freed(void)
{
	void *p = hide(malloc(100));

	free(p);
	hide(realloc(hide(p), 200));
}

static void wrong_size(void)
{
	free_sized_fn *sized = (free_sized_fn *)dlsym(RTLD_DEFAULT,
						      "free_sized");

	sized(malloc(100), 4000);
}

static const struct {
	const char *name;
	void (*fn)(void);
	const char *says;
} cases[] = {
	{ "double free", double_free, "double free" },
	{ "double free, pages", double_free_large, "freed twice" },
	{ "double free, mapping", double_free_mapped, "no memory of kmem's" },
	{ "interior pointer", interior, "not the start of an object" },
	{ "interior pointer, pages", interior_large, "inside a block" },
	{ "foreign pointer", foreign, "no memory of kmem's" },
	{ "a page never used", never_used, "no memory of kmem's" },
	{ "realloc of a free block", realloc_freed, "double free" },
	{ "free_sized", wrong_size, "free_sized" },
};

static void run(unsigned i, const char *mode)
{
	char text[4096];
	size_t n = 0;
	ssize_t got;
	int fd[2], status;
	pid_t pid;

	CHECK(!pipe(fd));
	pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		char number[16];

		snprintf(number, sizeof(number), "%u", i);
		setenv("KMEM_MALLOC_ON_MISUSE", mode, 1);
		dup2(fd[1], STDERR_FILENO);
		execl("/proc/self/exe", "misuse", number, (char *)NULL);
		_exit(99);
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd[0]);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (!strstr(text, cases[i].says))
		fprintf(stderr, "%s said: %s\n", cases[i].name, text);
	CHECK(strstr(text, cases[i].says));
	if (!strcmp(mode, "report"))
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	else
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(int argc, char **argv)
{
	unsigned nr = sizeof(cases) / sizeof(cases[0]);

	check_preloaded();
	if (argc == 2) {
		void *p[100];

		cases[atoi(argv[1])].fn();
		/* It goes on, and gives no block twice. */
		for (int i = 0; i < 100; i++) {
			p[i] = malloc(100);
			for (int k = 0; k < i; k++)
				CHECK(p[i] != p[k]);
		}
		for (int i = 0; i < 100; i++)
			free(p[i]);
		return 0;
	}
	for (unsigned i = 0; i < nr; i++) {
		run(i, "abort");
		run(i, "report");
	}
	printf("%u cases passed\n", nr);
	return 0;
}
