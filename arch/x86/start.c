/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/start.c - from the first line of C to boot_main().
 *
 * The loader passes struct hvm_start_info, which leads to the firmware's
 * memory map, the command line and ACPI's root pointer. All of it is copied
 * here, since the memory it lies in may be memory that the map calls usable.
 *
 * Facts: Xen's x86/HVM direct boot ABI (docs/misc/pvh.pandoc).
 */
#include "x86_boot.h"

#define START_INFO_MAGIC	0x336ec578
#define MSR_GS_BASE		0xc0000101
#define MIB			((uint64_t)1 << 20)

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	uint64_t memmap_paddr;		/* version 1 and later */
	uint32_t memmap_entries, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;	/* types as in ACPI's e820 */
};

#define E820_USABLE	1

extern char kernel_image_start[], kernel_image_end[];
extern char ap_trampoline[], ap_trampoline_end[];

struct machine machine;
struct x86_cpu x86_cpus[MACHINE_MAX_CPUS];

/* For entry.S: what the CPU being started is to find. */
extern void *ap_stack_top;
extern unsigned ap_number;
void *ap_stack_top;
unsigned ap_number;

static unsigned char ap_online[MACHINE_MAX_CPUS];

static const char *e820_name(uint32_t type)
{
	static const char *const name[] = {
		"type 0", "usable", "reserved", "ACPI data", "ACPI NVS",
		"unusable", "disabled", "persistent",
	};

	return type < KMEM_ARRAY_SIZE(name) ? name[type] : "other";
}

static void copy_map(const struct hvm_start_info *info)
{
	const struct hvm_memmap_entry *e = direct(info->memmap_paddr);

	if (info->version < 1 || !info->memmap_paddr || !info->memmap_entries)
		boot_fail("the loader gave no memory map");
	if (info->memmap_entries > MACHINE_MAX_RANGES)
		boot_fail("%u entries in the memory map, %u at most",
			  info->memmap_entries, MACHINE_MAX_RANGES);
	for (uint32_t i = 0; i < info->memmap_entries; i++)
		machine.map[i] = (struct machine_range){
			.start = e[i].addr, .size = e[i].size,
			.usable = e[i].type == E820_USABLE,
			.what = e820_name(e[i].type),
		};
	machine.nr_map = info->memmap_entries;
}

static void copy_arguments(const struct hvm_start_info *info)
{
	static char arguments[256];
	const char *s = direct(info->cmdline_paddr);

	if (info->cmdline_paddr)
		for (size_t i = 0; s[i] && i < sizeof(arguments) - 1; i++)
			arguments[i] = s[i];
	machine.arguments = arguments;
}

static uint64_t end_of_memory(void)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < machine.nr_map; i++) {
		const struct machine_range *r = &machine.map[i];

		if (r->usable && r->start + r->size > end)
			end = r->start + r->size;
	}
	return end;
}

static void cpu_init(unsigned cpu)
{
	x86_cpus[cpu].number = cpu;
	wrmsr(MSR_GS_BASE, (uintptr_t)&x86_cpus[cpu]);
	trap_cpu_init();
}

_Noreturn void x86_start(uint32_t start_info)
{
	const struct hvm_start_info *info = direct(start_info);

	serial_init();
	trap_init();
	cpu_init(0);

	/* The loader's data lies below 4 GiB: reach that much first. */
	paging_direct_map(4096 * MIB);
	if (info->magic != START_INFO_MAGIC)
		boot_fail("no hvm_start_info at %#x: not started by a PVH "
			  "loader?", start_info);
	copy_map(info);
	copy_arguments(info);

	machine.name = "x86_64";
	machine.virt_offset = DIRECT_BASE;
	machine.direct_map_end = paging_direct_map(end_of_memory());
	machine.used[0] = (struct machine_range){
		.start = image_phys(kernel_image_start),
		.size = (uint64_t)(kernel_image_end - kernel_image_start),
		.what = "kernel image",
	};
	machine.nr_used = 1;
	machine.start_page_end = MIB;

	clock_init();
	apic_init();
	machine.nr_cpus = acpi_find_cpus(info->rsdp_paddr, apic_id());
	boot_main();
}

_Noreturn void x86_ap_start(unsigned cpu)
{
	cpu_init(cpu);
	apic_cpu_init();
	__atomic_store_n(&ap_online[cpu], 1, __ATOMIC_RELEASE);
	boot_secondary();
}

/* One at a time: the trampoline and what it reads are shared. */
bool machine_start_cpu(unsigned cpu, void *stack_top, uint64_t start_page)
{
	char *page = direct(start_page);
	size_t len = (size_t)(ap_trampoline_end - ap_trampoline);
	uint64_t deadline;

	for (size_t i = 0; i < len; i++)
		page[i] = ap_trampoline[i];
	ap_stack_top = stack_top;
	ap_number = cpu;
	apic_start(x86_cpus[cpu].apic_id, start_page);

	deadline = machine_usec() + 1000000;
	while (!__atomic_load_n(&ap_online[cpu], __ATOMIC_ACQUIRE)) {
		if (machine_usec() > deadline)
			return false;
		kmem_arch_relax();
	}
	return true;
}

void machine_irq_enable(void)
{
	__asm__ __volatile__("sti" : : : "memory");
}

/* sti takes effect after the next instruction: no interrupt is slept
 * through. */
void machine_idle(void)
{
	__asm__ __volatile__("sti; hlt; cli" : : : "memory");
}
