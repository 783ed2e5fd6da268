/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the C side of the Rust sample: the machine, and the constants
 * that kmem.rs asks for.
 *
 * A hosted Rust program allocates before its main(); so main() is here.
 */
#include <host.h>

const unsigned kmem_gfp_kernel = GFP_KERNEL;
const unsigned kmem_gfp_zero = __GFP_ZERO;
const size_t kmem_page_size = KMEM_PAGE_SIZE;

void rust_main(void);

static struct kmem_leak_mark marks[200];
static size_t nr_marks;

void machine_mark(void)
{
	nr_marks = kmem_leak_mark(marks, 200);
}

size_t machine_grown(void)
{
	return kmem_leak_report(marks, nr_marks, NULL, NULL);
}

size_t machine_check(void)
{
	return kmem_check_all(host_print, NULL);
}

int main(void)
{
	host_machine(64 << 20, 1);
	rust_main();
	host_print(NULL, "Rust: ok");
	return 0;
}
