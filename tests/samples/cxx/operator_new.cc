// SPDX-License-Identifier: MIT
//
// operator_new.cc - C++'s operator new and delete on kmem, for a kernel that
// is written in C++17: copy this file.
//
//	new T		kmalloc(sizeof(T), GFP_KERNEL)
//	new T, where alignof(T) is more than kmalloc() aligns to:
//			a size rounded up to a multiple of the alignment
//			up to a page, which kmalloc() aligns to a power of two
//	delete p	kfree(p): sizes and alignments are not needed
//
// A kernel has no exceptions: where memory runs out, plain new ends in
// kmem_panic(), as does an alignment beyond a page; code that can go on without
// says new (std::nothrow) and gets nullptr. In an interrupt handler, plain new
// would be wrong as well: kmalloc(size, GFP_ATOMIC) and placement new.
//
// Needs nothing of the C++ library: compile with -ffreestanding
// -fno-exceptions. <new> is a freestanding header.
#include <kmem/kmem.h>

#include <new>

namespace
{

// kmalloc() aligns a power of two to itself; the next that holds both.
void *get(std::size_t size, std::size_t align)
{
	std::size_t bytes = size ? size : 1;

	if (align > KMEM_PAGE_SIZE)
		return nullptr;
	if (align > KMALLOC_MIN_SIZE)
		for (bytes = align; bytes < size; bytes *= 2)
			if (bytes > KMALLOC_MAX_SIZE / 2)
				return nullptr;
	return kmalloc(bytes, GFP_KERNEL);
}

void *get_or_panic(std::size_t size, std::size_t align)
{
	void *p = get(size, align);

	if (!p) {
		kmem_panic("operator new: no memory");
		for (;;)
			;
	}
	return p;
}

} // namespace

void *operator new(std::size_t n) { return get_or_panic(n, 1); }
void *operator new[](std::size_t n) { return get_or_panic(n, 1); }

void *operator new(std::size_t n, std::align_val_t a)
{
	return get_or_panic(n, static_cast<std::size_t>(a));
}

void *operator new[](std::size_t n, std::align_val_t a)
{
	return get_or_panic(n, static_cast<std::size_t>(a));
}

void *operator new(std::size_t n, const std::nothrow_t &) noexcept
{
	return get(n, 1);
}

void *operator new[](std::size_t n, const std::nothrow_t &) noexcept
{
	return get(n, 1);
}

void *operator new(std::size_t n, std::align_val_t a,
		   const std::nothrow_t &) noexcept
{
	return get(n, static_cast<std::size_t>(a));
}

void *operator new[](std::size_t n, std::align_val_t a,
		     const std::nothrow_t &) noexcept
{
	return get(n, static_cast<std::size_t>(a));
}

void operator delete(void *p) noexcept { kfree(p); }
void operator delete[](void *p) noexcept { kfree(p); }
void operator delete(void *p, std::size_t) noexcept { kfree(p); }
void operator delete[](void *p, std::size_t) noexcept { kfree(p); }
void operator delete(void *p, std::align_val_t) noexcept { kfree(p); }
void operator delete[](void *p, std::align_val_t) noexcept { kfree(p); }

void operator delete(void *p, std::size_t, std::align_val_t) noexcept
{
	kfree(p);
}

void operator delete[](void *p, std::size_t, std::align_val_t) noexcept
{
	kfree(p);
}

void operator delete(void *p, const std::nothrow_t &) noexcept { kfree(p); }
void operator delete[](void *p, const std::nothrow_t &) noexcept { kfree(p); }

void operator delete(void *p, std::align_val_t,
		     const std::nothrow_t &) noexcept
{
	kfree(p);
}

void operator delete[](void *p, std::align_val_t,
		       const std::nothrow_t &) noexcept
{
	kfree(p);
}
