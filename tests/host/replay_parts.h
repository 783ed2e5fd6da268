/* SPDX-License-Identifier: MIT */
/*
 * tests/host/replay_parts.h - between replay.c, which runs a trace, and
 * replay_prepare.c, which deals it out.
 */
#ifndef KMEM_TESTS_REPLAY_PARTS_H
#define KMEM_TESTS_REPLAY_PARTS_H

#include "replay.h"

/* The constructor of every cache that has one; leaves a word in front. */
void replay_construct(void *object);

/* Has this cache of the trace one, and objects that can hold the word? */
bool replay_has_ctor(const struct replay *r, uint16_t cache);

#endif /* KMEM_TESTS_REPLAY_PARTS_H */
