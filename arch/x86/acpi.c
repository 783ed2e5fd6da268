/* SPDX-License-Identifier: MIT */
/*
 * arch/x86/acpi.c - which CPUs are there, from ACPI's MADT.
 *
 *	RSDP ──► RSDT (32-bit pointers) or XSDT (64-bit) ──► MADT "APIC"
 *	MADT: header, 8 bytes, then entries {type, length, …}
 *
 * A loader that does not say where the RSDP is leaves it to be searched for in
 * the places where a PC's BIOS puts it.
 *
 * Facts: ACPI specification 6.5, 5.2.5 to 5.2.12. Tables may lie at any
 * address, so what they hold is read through packed structures.
 */
#include "x86_boot.h"

#define PACKED __attribute__((packed))

struct rsdp {
	char signature[8];		/* "RSD PTR " */
	uint8_t checksum;
	char oem[6];
	uint8_t revision;		/* 2 and later: what follows is there */
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} PACKED;

struct table {
	char signature[4];
	uint32_t length;		/* bytes, this header included */
	uint8_t revision, checksum;
	char oem[26];
} PACKED;

struct madt_entry {
	uint8_t type, length;
	/* type 0, a processor's local APIC: */
	uint8_t acpi_id, apic_id;
	uint32_t flags;			/* bit 0: enabled */
} PACKED;

#define ROOT_ALIGN		16
#define EBDA_SEGMENT		0x40e
#define EBDA_SEARCHED		1024
#define BIOS_ROM		0xe0000
#define BIOS_ROM_SIZE		0x20000

#define MADT_LOCAL_APIC		0
#define MADT_ENTRIES		(sizeof(struct table) + 8)
#define LOCAL_APIC_ENABLED	1

static bool starts_with(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

/* All bytes of a table add up to 0. */
static bool sum_is_zero(const void *p, size_t len)
{
	const uint8_t *byte = p;
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum + *byte++);
	return sum == 0;
}

/* ---- the root pointer ---- */

/* NULL: there is none at that address. */
static const struct rsdp *root_at(uint64_t phys)
{
	const struct rsdp *rsdp = paging_see(phys, sizeof(*rsdp));

	return rsdp && starts_with(rsdp->signature, "RSD PTR ") &&
	       sum_is_zero(rsdp, offsetof(struct rsdp, length)) ? rsdp : NULL;
}

static const struct rsdp *search(uint64_t phys, uint64_t size)
{
	for (uint64_t end = phys + size; phys < end; phys += ROOT_ALIGN) {
		const struct rsdp *rsdp = root_at(phys);

		if (rsdp)
			return rsdp;
	}
	return NULL;
}

/* The BIOS's own data area, whose segment is noted at a fixed address, or its
 * read-only memory. */
static const struct rsdp *search_bios(void)
{
	uint64_t ebda = (uint64_t)*(const uint16_t *)direct(EBDA_SEGMENT) << 4;
	const struct rsdp *rsdp = ebda ? search(ebda, EBDA_SEARCHED) : NULL;

	return rsdp ? rsdp : search(BIOS_ROM, BIOS_ROM_SIZE);
}

/* ---- tables ---- */

static const struct table *table_at(uint64_t phys)
{
	const struct table *t = paging_see(phys, sizeof(*t));

	if (t && t->length >= sizeof(*t))
		t = paging_see(phys, t->length);
	if (!phys || !t || t->length < sizeof(*t) || !sum_is_zero(t, t->length))
		boot_fail("ACPI: no valid table at %#llx",
			  (unsigned long long)phys);
	return t;
}

/* The n-th pointer of an RSDT or XSDT; little-endian, not aligned. */
static uint64_t root_pointer(const struct table *root, size_t n, size_t width)
{
	const uint8_t *p = (const uint8_t *)(root + 1) + n * width;
	uint64_t value = 0;

	while (width--)
		value = value << 8 | p[width];
	return value;
}

static const struct table *find_madt(const struct rsdp *rsdp)
{
	bool extended = rsdp->revision >= 2 && rsdp->xsdt;
	size_t width = extended ? 8 : 4;
	const struct table *root = table_at(extended ? rsdp->xsdt : rsdp->rsdt);
	size_t n = (root->length - sizeof(*root)) / width;

	for (size_t i = 0; i < n; i++) {
		const struct table *t = table_at(root_pointer(root, i, width));

		if (starts_with(t->signature, "APIC"))
			return t;
	}
	boot_fail("ACPI: none of %u tables is a MADT", (unsigned)n);
}

unsigned acpi_find_cpus(uint64_t root, uint32_t boot_apic_id)
{
	const struct rsdp *rsdp = root ? root_at(root) : search_bios();
	const struct table *madt;
	const struct madt_entry *e;
	unsigned nr = 1;

	x86_cpus[0].apic_id = boot_apic_id;
	if (!rsdp)
		boot_fail("ACPI: no root pointer");
	madt = find_madt(rsdp);

	for (size_t at = MADT_ENTRIES; at + 2 <= madt->length;
	     at += e->length) {
		e = (const void *)((const char *)madt + at);
		if (e->length < 2)
			boot_fail("ACPI: MADT entry of %u bytes", e->length);
		if (e->type != MADT_LOCAL_APIC ||
		    !(e->flags & LOCAL_APIC_ENABLED) ||
		    e->apic_id == boot_apic_id)
			continue;
		if (nr == MACHINE_MAX_CPUS) {
			print("ACPI: more than %u CPUs, the rest stays off\n",
			      MACHINE_MAX_CPUS);
			break;
		}
		x86_cpus[nr++].apic_id = e->apic_id;
	}
	return nr;
}
