/* SPDX-License-Identifier: MIT */
/* tests/explore/barrier.h - included before all else when the library is
 * compiled for the explorer: a compiler barrier is an event of its model. */
void explore_barrier(void);
#define kmem_barrier()	explore_barrier()
