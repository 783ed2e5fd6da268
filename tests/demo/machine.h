/* SPDX-License-Identifier: MIT */
/*
 * tests/demo/machine.h - from a file with a memory map to a running kmem.
 */
#ifndef KMEM_DEMO_MACHINE_H
#define KMEM_DEMO_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Exit statuses of the demo, worst last. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_BAD_INPUT = 2 };

/*
 * Read a map. Return: STATUS_OK; STATUS_BAD_INPUT, and a reason on stderr, if
 * the file is bad. *usable: bytes of whole usable pages.
 */
int machine_load(const char *path, uint64_t *usable);

/*
 * Print what kmem makes of the map, and start kmem on that machine, cut down
 * to what this host can spare if need be. The calling thread is CPU 0 of it.
 *
 * Return: STATUS_OK; STATUS_BAD_INPUT, and a reason on stderr, if kmem can't
 * run there. *mismatch: it runs, but what it makes of the map is not what the
 * file expects.
 */
int machine_start(unsigned nr_cpus, bool *mismatch);

void machine_stop(void);

#endif /* KMEM_DEMO_MACHINE_H */
