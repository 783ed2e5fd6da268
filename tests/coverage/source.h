/* SPDX-License-Identifier: MIT */
/*
 * tests/coverage/source.h - included before each file of the library, so that
 * the branches that are counted are those of the source.
 *
 * A function of a header that is always inlined would be counted once for each
 * caller, and most callers can't take all of its branches. And a condition that
 * is given to __builtin_expect() is a value first, which is then tested again.
 */
#define always_inline		unused
#define __builtin_expect(x, y)	(x)
