/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/print.c - a printf for a console, and the way to fail.
 *
 * A message is put together in a buffer on the stack, then written whole under
 * the console's lock. Directives: %c %s %d %u %x %p %%, with the flags # and
 * 0, a width, and the lengths l, ll and z.
 */
#include <stdarg.h>

#include "boot.h"

#define LINE_MAX BY_MEMORY(512u, 160u)

static unsigned console_busy;

/*
 * Interrupts are masked while the console is ours. Whoever fails takes it by
 * force in the end: the holder may be the one that was hit.
 */
static void console_write(const char *text, size_t len, bool force)
{
	uintptr_t state = kmem_arch_irq_save();
	uint64_t give_up = machine_usec() + 200000;

	while (kmem_exchange_acquire(&console_busy, 1) &&
	       !(force && machine_usec() > give_up))
		kmem_arch_relax();
	machine_write(text, len);
	kmem_store_release(&console_busy, 0);
	kmem_arch_irq_restore(state);
}

struct text {
	char line[LINE_MAX];
	size_t len;
};

static void put(struct text *t, char c)
{
	if (t->len < LINE_MAX)
		t->line[t->len++] = c;
}

static void put_padding(struct text *t, unsigned width, size_t len, char c)
{
	for (; width > len; width--)
		put(t, c);
}

static void put_string(struct text *t, const char *s, unsigned width)
{
	size_t len = 0;

	while (s[len])
		len++;
	put_padding(t, width, len, ' ');
	while (*s)
		put(t, *s++);
}

struct number {
	uint64_t value;
	uint32_t base;
	unsigned width;
	bool negative, prefix, zeros;
};

static void put_number(struct text *t, struct number n)
{
	char digit[24];
	size_t nr = 0, len;
	uint32_t next;

	do {
		n.value = divide(n.value, n.base, &next);
		digit[nr++] = "0123456789abcdef"[next];
	} while (n.value);
	len = nr + n.negative + (n.prefix ? 2 : 0);

	if (!n.zeros)
		put_padding(t, n.width, len, ' ');
	if (n.negative)
		put(t, '-');
	if (n.prefix) {
		put(t, '0');
		put(t, 'x');
	}
	if (n.zeros)
		put_padding(t, n.width, len, '0');
	while (nr)
		put(t, digit[--nr]);
}

/* One directive, from behind its %; returns what follows it. */
static const char *put_directive(struct text *t, const char *f, va_list *args)
{
	struct number n = { .base = 10 };
	unsigned longs = 0;

	for (; *f == '#' || *f == '0'; f++)
		*(*f == '#' ? &n.prefix : &n.zeros) = true;
	for (; *f >= '0' && *f <= '9'; f++)
		n.width = n.width * 10 + (unsigned)(*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		longs += *f == 'z' ? sizeof(size_t) / sizeof(int) - 1 : 1;

	switch (*f) {
	case 'c':
		put(t, (char)va_arg(*args, int));
		break;
	case 's':
		put_string(t, va_arg(*args, const char *), n.width);
		break;
	case 'd': {
		int v = va_arg(*args, int);

		n.negative = v < 0;
		n.value = v < 0 ? 0u - (unsigned)v : (unsigned)v;
		put_number(t, n);
		break;
	}
	case 'p':
		n.base = 16;
		n.prefix = true;
		n.value = (uintptr_t)va_arg(*args, void *);
		put_number(t, n);
		break;
	case 'x':
		n.base = 16;
		/* fall through */
	case 'u':
		n.value = longs > 1 ? va_arg(*args, unsigned long long) :
			  longs ? va_arg(*args, unsigned long) :
				  va_arg(*args, unsigned);
		put_number(t, n);
		break;
	default:
		put(t, *f);
	}
	return *f ? f + 1 : f;
}

static void put_formatted(struct text *t, const char *f, va_list *args)
{
	while (*f) {
		if (*f == '%')
			f = put_directive(t, f + 1, args);
		else
			put(t, *f++);
	}
}

void print(const char *fmt, ...)
{
	struct text t = { .len = 0 };
	va_list args;

	va_start(args, fmt);
	put_formatted(&t, fmt, &args);
	va_end(args);
	console_write(t.line, t.len, false);
}

_Noreturn void boot_fail(const char *fmt, ...)
{
	struct text t = { .len = 0 };
	va_list args;

	kmem_arch_irq_save();
	put_string(&t, "kmem: self-test FAILED: ", 0);
	va_start(args, fmt);
	put_formatted(&t, fmt, &args);
	va_end(args);
	if (t.len == LINE_MAX)
		t.len--;
	put(&t, '\n');
	console_write(t.line, t.len, true);
	machine_exit(false);
}

bool contains(const char *text, const char *part)
{
	for (; *text; text++) {
		size_t i = 0;

		while (part[i] && text[i] == part[i])
			i++;
		if (!part[i])
			return true;
	}
	return !*part;
}

uint64_t argument(const char *name, uint64_t otherwise)
{
	const char *a = machine.arguments;

	while (*a) {
		const char *n = name;

		while (*n && *a == *n)
			a++, n++;
		if (!*n && *a == '=') {
			uint32_t value = 0;

			while (*++a >= '0' && *a <= '9')
				value = value * 10 + (uint32_t)(*a - '0');
			otherwise = value;
		}
		while (*a && *a != ' ')
			a++;
		while (*a == ' ')
			a++;
	}
	return otherwise;
}
