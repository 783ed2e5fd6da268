/* SPDX-License-Identifier: MIT */
/*
 * arch/x86_64/entry.S - from the loader, and from a start-up IPI, to C.
 *
 * The first CPU comes from a loader, PVH or Multiboot: 32-bit protected mode,
 * paging off, flat segments, interrupts off, the physical address of what the
 * loader has to say in %ebx. The others come from a start-up IPI: 16-bit real
 * mode at a page below 1 MiB, into which machine_start_cpu() has copied the
 * trampoline. Both do the same five things, then jump into the high half:
 *
 *	CR4.PAE	 CR3 = boot_pml4  EFER.LME  CR0.PG	far jump to 64 bits
 *
 * boot_pml4 maps the first GiB twice, at its physical address, where the
 * instruction after the switch is fetched from, and at KERNEL_BASE, where the
 * kernel is linked. kernel_pml4, used from then on, has no low half.
 *
 * The tables are data, filled in by the assembler: no code builds them.
 */
#include <layout.h>

/* Where an address of the image is before paging. */
#define PHYS(va)	((va) - KERNEL_BASE)

	.section .text.start, "ax"

	.code32
	.globl	pvh_entry, multiboot_entry
pvh_entry:
	xorl	%eax, %eax		/* of Multiboot, it is a magic number */
multiboot_entry:
	cli
	cld
	movl	%eax, %esi
	movl	$CR4_BOOT, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	lgdt	PHYS(gdt_low)
	movl	$CR0_BOOT, %eax
	movl	%eax, %cr0
	ljmp	$SEL_CODE, $PHYS(bsp_entry64)

	.code64
bsp_entry64:
	movabsq	$bsp_high, %rax
	jmp	*%rax
bsp_high:
	leaq	boot_stack_top(%rip), %rsp
	movl	%ebx, %edi		/* zero-extends; magic is in %esi */
	leaq	x86_start(%rip), %rax
	jmp	enter_c

ap_entry64:
	movabsq	$ap_high, %rax
	jmp	*%rax
ap_high:
	movq	ap_stack_top(%rip), %rsp
	movl	ap_number(%rip), %edi
	leaq	x86_ap_start(%rip), %rax

/* %rax: a function that never returns, %rdi, %rsi: its arguments. */
enter_c:
	movq	$PHYS(kernel_pml4), %rcx
	movq	%rcx, %cr3
	lgdt	gdt_high(%rip)
	movl	$SEL_DATA, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %ss
	xorl	%ecx, %ecx
	movl	%ecx, %fs
	movl	%ecx, %gs		/* cpu.c sets its base */
	xorl	%ebp, %ebp
	call	*%rax
	ud2

/*
 * The trampoline runs at another address than it is linked at, with %cs:0 its
 * first byte: it reaches its own data relative to its start, and everything
 * in the image by physical address.
 */
	.code16
	.globl	ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	cld
	movw	%cs, %ax
	movw	%ax, %ds
	movl	$CR4_BOOT, %eax
	movl	%eax, %cr4
	movl	$PHYS(boot_pml4), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	lgdtl	(ap_gdt - ap_trampoline)
	movl	$CR0_BOOT, %eax		/* INIT left the caches off: on */
	movl	%eax, %cr0		/* real mode to long mode at once */
	ljmpl	$SEL_CODE, $PHYS(ap_entry64)

	.balign	4
ap_gdt:
	.word	gdt_end - gdt - 1
	.long	PHYS(gdt)
ap_trampoline_end:

	.section .rodata, "a"
	.balign	8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SEL_CODE: 64-bit, ring 0 */
	.quad	0x00cf93000000ffff	/* SEL_DATA */
gdt_end:

	.balign	8
gdt_low:				/* for lgdt before paging */
	.word	gdt_end - gdt - 1
	.long	PHYS(gdt)
	.balign	8
gdt_high:				/* and after */
	.word	gdt_end - gdt - 1
	.quad	gdt

	.data
#define TABLE	(PTE_PRESENT | PTE_WRITE)

	.balign	4096
boot_pml4:
	.quad	PHYS(low_pdpt) + TABLE
	.fill	510, 8, 0
	.quad	PHYS(high_pdpt) + TABLE

	.globl	kernel_pml4
kernel_pml4:				/* paging.c adds the direct map */
	.fill	511, 8, 0
	.quad	PHYS(high_pdpt) + TABLE

low_pdpt:
	.quad	PHYS(first_gib) + TABLE
	.fill	511, 8, 0

high_pdpt:
	.fill	510, 8, 0
	.quad	PHYS(first_gib) + TABLE		/* KERNEL_BASE */
	.quad	PHYS(device_pd) + TABLE		/* DEVICE_BASE */

first_gib:
	.set	page, 0
	.rept	512
	.quad	(page << 21) + PTE_LARGE + TABLE
	.set	page, page + 1
	.endr

	.globl	device_pd
device_pd:
	.fill	512, 8, 0

	.bss
	.balign	16
	.skip	32768
boot_stack_top:

	.section .note.GNU-stack, "", @progbits
