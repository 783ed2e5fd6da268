/* SPDX-License-Identifier: MIT */
/*
 * format.c - a small printf, and lists of names.
 *
 * Numbers are taken apart without a division or a shift by a variable, which
 * on 32-bit machines would be calls into the compiler's library.
 */
#include "format.h"

struct text {
	char *at, *end;		/* end: where the terminator may go at last */
};

struct spec {
	bool left, zero;
	int width;
	unsigned longs;		/* 0: int, 1: long, 2: long long */
};

static void put(struct text *t, char c)
{
	if (t->at < t->end)
		*t->at++ = c;
}

static void put_padded(struct text *t, const struct spec *s, const char *p,
		       int len)
{
	int pad = s->width - len;

	if (!s->left)
		while (pad-- > 0)
			put(t, s->zero ? '0' : ' ');
	while (len--)
		put(t, *p++);
	if (s->left)
		while (pad-- > 0)
			put(t, ' ');
}

/* The digits of n, into the end of buf; returns their start. */
static int decimal(uint64_t n, char *buf)
{
	static const uint64_t power[] = {
		10000000000000000000u, 1000000000000000000u,
		100000000000000000u, 10000000000000000u, 1000000000000000u,
		100000000000000u, 10000000000000u, 1000000000000u,
		100000000000u, 10000000000u, 1000000000u, 100000000u,
		10000000u, 1000000u, 100000u, 10000u, 1000u, 100u, 10u, 1u,
	};
	int len = 0;

	for (size_t i = 0; i < KMEM_ARRAY_SIZE(power); i++) {
		char digit = '0';

		for (; n >= power[i]; n -= power[i])
			digit++;
		if (len || digit != '0' || power[i] == 1)
			buf[len++] = digit;
	}
	return len;
}

static int hexadecimal(uint64_t n, char *buf)
{
	int len = 0;

	for (int left = 16; left > 0; left--, n <<= 4)
		if (len || n >> 60 || left == 1)
			buf[len++] = "0123456789abcdef"[n >> 60];
	return len;
}

static void put_signed(struct text *t, struct spec *s, int64_t n)
{
	char digits[24];
	int len = 0;

	if (n < 0)
		digits[len++] = '-';
	len += decimal(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, digits + len);
	put_padded(t, s, digits, len);
}

static void put_string(struct text *t, struct spec *s, const char *p)
{
	int len = 0;

	if (!p)
		p = "(null)";
	while (p[len])
		len++;
	put_padded(t, s, p, len);
}

static const char *parse_spec(struct spec *s, const char *f, va_list *args)
{
	*s = (struct spec){ false, false, 0, 0 };
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else
			break;
	}
	if (*f == '*') {
		s->width = va_arg(*args, int);
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + (*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		s->longs += *f == 'z' ? sizeof(size_t) / sizeof(long) : 1;
	return f;
}

static uint64_t next_unsigned(const struct spec *s, va_list *args)
{
	if (s->longs >= 2)
		return va_arg(*args, unsigned long long);
	return s->longs ? va_arg(*args, unsigned long) :
			  va_arg(*args, unsigned);
}

static int64_t next_signed(const struct spec *s, va_list *args)
{
	if (s->longs >= 2)
		return va_arg(*args, long long);
	return s->longs ? va_arg(*args, long) : va_arg(*args, int);
}

static void convert(struct text *t, struct spec *s, char type, va_list *args)
{
	char digits[24];

	switch (type) {
	case 's':
		put_string(t, s, va_arg(*args, const char *));
		break;
	case 'c':
		digits[0] = (char)va_arg(*args, int);
		put_padded(t, s, digits, 1);
		break;
	case 'd':
		put_signed(t, s, next_signed(s, args));
		break;
	case 'u':
		put_padded(t, s, digits,
			   decimal(next_unsigned(s, args), digits));
		break;
	case 'x':
		put_padded(t, s, digits,
			   hexadecimal(next_unsigned(s, args), digits));
		break;
	case 'p':
		put(t, '0');
		put(t, 'x');
		put_padded(t, s, digits,
			   hexadecimal((uintptr_t)va_arg(*args, void *),
				       digits));
		break;
	default:
		put(t, type);
	}
}

size_t vformat(char *buf, size_t size, const char *fmt, va_list args)
{
	struct text t = { buf, buf + size - 1 };
	struct spec s;
	va_list copy;

	/* A va_list parameter may be an array: only a copy has an address of
	 * the right type on every machine. */
	va_copy(copy, args);
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			put(&t, *fmt);
			continue;
		}
		fmt = parse_spec(&s, fmt + 1, &copy);
		if (!*fmt)
			break;
		convert(&t, &s, *fmt, &copy);
	}
	va_end(copy);
	*t.at = '\0';
	return (size_t)(t.at - buf);
}

size_t format(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = vformat(buf, size, fmt, args);
	va_end(args);
	return len;
}

/* ---- lists of names ---- */

static bool ends_name(char c)
{
	return c == ',' || c == ';' || c == '\0';
}

static bool name_matches(const char *name, const char *at)
{
	for (; !ends_name(*at); at++, name++) {
		if (*at == '*')
			return true;
		if (*at != *name)
			return false;
	}
	return !*name;
}

bool name_listed(const char *names, const char *name)
{
	while (!name_matches(name, names)) {
		while (!ends_name(*names))
			names++;
		if (*names++ != ',')
			return false;
	}
	return true;
}
