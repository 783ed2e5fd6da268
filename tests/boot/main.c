/* SPDX-License-Identifier: MIT */
/*
 * tests/boot/main.c - the life of the test kernel.
 *
 *	map ► kmem ► CPUs ► self-test ► workload, report, accounts ► exit
 *
 * Arguments, as name=number on the kernel's command line:
 *
 *	cpus	how many CPUs there must be (default: as many as there are)
 *	seed	of the pseudo-random numbers (default: from the clock)
 *	steps, ticks	how many of each the workload takes, at least, on
 *		every CPU
 *
 * The line SUCCESS below is printed last, and only if all went well; whoever
 * runs the kernel waits for it and for the exit status. Anything else than
 * success goes through boot_fail().
 */
#include "boot.h"

#define SUCCESS "kmem: self-test passed"

_Noreturn void boot_main(void)
{
	uint64_t cpus = argument("cpus", machine.nr_cpus);
	uint64_t seed;

	print("\nkmem test kernel: %s, %u CPUs, arguments \"%s\"\n",
	      machine.name, machine.nr_cpus, machine.arguments);
	if (machine.nr_cpus != cpus)
		boot_fail("%u CPUs found, %llu expected", machine.nr_cpus,
			  (unsigned long long)cpus);

	port_init();
	port_prove();
	cpus_start(port_start_page());
	machine_irq_enable();
	print("%u CPUs run\n", machine.nr_cpus);
	if (HAVE_VM)
		vm_init();

	test_stages();
	seed = argument("seed", (uint32_t)machine_usec());
	selftest();
	workload(seed);

	if (!cpus_stacks_intact())
		boot_fail("a CPU's stack overflowed");
	print("%s after %u ms\n", SUCCESS, msec(machine_usec()));
	machine_exit(true);
}
