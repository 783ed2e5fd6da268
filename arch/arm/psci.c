/* SPDX-License-Identifier: MIT */
/*
 * arch/arm/psci.c - the firmware's calls to start CPUs and to switch off.
 *
 * Facts: Arm's Power State Coordination Interface (DEN 0022), 5.1.
 */
#include "arm_boot.h"

#define PSCI_CPU_ON	0x84000003u
#define PSCI_CPU_ON_64	0xc4000003u	/* arguments of 64 bits */
#define PSCI_SYSTEM_OFF	0x84000008u

static bool psci_found, psci_by_smc;

void psci_init(void)
{
	struct kmem_fdt_node node;

	if (!kmem_fdt_find(&devicetree, "psci", &node) ||
	    !kmem_fdt_says(&devicetree, &node, "compatible", "arm,psci-0.2"))
		boot_fail("devicetree: no PSCI of version 0.2 or later");
	psci_by_smc = kmem_fdt_says(&devicetree, &node, "method", "smc");
	psci_found = true;
}

bool psci_cpu_on(uint64_t affinity, uint64_t entry, uintptr_t argument)
{
	uint32_t function = sizeof(uintptr_t) == 8 ? PSCI_CPU_ON_64 :
						     PSCI_CPU_ON;

	cpu_publish();
	return firmware_call(psci_by_smc, function, (uintptr_t)affinity,
			     (uintptr_t)entry, argument) == 0;
}

void psci_off(void)
{
	if (psci_found)
		firmware_call(psci_by_smc, PSCI_SYSTEM_OFF, 0, 0, 0);
}
