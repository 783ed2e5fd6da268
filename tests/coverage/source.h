/* SPDX-License-Identifier: MIT */
/*
 * tests/coverage/source.h - included before each file of the library, so that
 * the branches that are counted are those of the source.
 *
 * A function of a header that is always inlined would be counted once for each
 * caller, and most callers can't take all of its branches. And a condition that
 * is given to __builtin_expect() is a value first, which is then tested again.
 *
 * What KMEM_NEVER() says that it can't be is not counted; should it be, the test
 * that brings it about ends there.
 */
#define KMEM_NEVER(cond) \
	((void)__extension__({ if (cond) __builtin_trap(); 0; }), 0)
#define always_inline		unused
#define __builtin_expect(x, y)	(x)
