// SPDX-License-Identifier: MIT
//
// main.cc - a C++17 program whose heap is kmem: classes, arrays, containers,
// wide alignments, and new that may fail. All of it is given back.
#include <host.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#define EXPECT(cond) \
	((cond) ? (void)0 : (std::printf("%d: not true: %s\n", __LINE__, \
					 #cond), std::exit(1)))

namespace
{

struct kmem_leak_mark marks[200];

struct alignas(256) Wide {
	char byte[300];
};

struct alignas(64) Line {
	char byte[1];
};

struct Base {
	virtual ~Base() = default;
};

struct Derived : Base {
	explicit Derived(int &n) : left(n) { left++; }
	~Derived() override { left--; }
	int &left;
};

bool aligned(const void *p, std::size_t to)
{
	return reinterpret_cast<std::uintptr_t>(p) % to == 0;
}

void alignments()
{
	std::unique_ptr<Wide> wide[20];
	std::vector<std::unique_ptr<Line>> lines;

	for (auto &w : wide) {
		w = std::make_unique<Wide>();
		EXPECT(aligned(w.get(), 256));
		EXPECT(ksize(w.get()) >= sizeof(Wide));
	}
	for (int i = 0; i < 100; i++) {
		lines.push_back(std::make_unique<Line>());
		EXPECT(aligned(lines.back().get(), 64));
	}
	std::unique_ptr<Wide[]> array(new Wide[7]);
	EXPECT(aligned(array.get(), 256));
}

void failures()
{
	const std::size_t too_much = KMALLOC_MAX_SIZE + 1;

	EXPECT(!::operator new(too_much, std::nothrow));
	EXPECT(!::operator new[](too_much, std::nothrow));
	EXPECT(!::operator new(too_much, std::align_val_t(64), std::nothrow));
	EXPECT(!::operator new(8, std::align_val_t(2 * KMEM_PAGE_SIZE),
			       std::nothrow));
	void *nothing = ::operator new(0);
	void *other = ::operator new(0);
	EXPECT(nothing && other && nothing != other);
	::operator delete(nothing);
	::operator delete(other, std::size_t(0));
	::operator delete(nullptr);
}

void containers()
{
	std::map<std::string, std::vector<int>> map;
	int left = 0;

	for (int i = 0; i < 1000; i++) {
		std::string key = "a key that is too long to be kept inside " +
				  std::to_string(i % 100);

		map[key].push_back(i);
	}
	EXPECT(map.size() == 100);
	for (const auto &[key, list] : map)
		EXPECT(list.size() == 10 && !key.empty());
	std::vector<std::unique_ptr<Base>> all;
	for (int i = 0; i < 50; i++)
		all.emplace_back(new Derived(left));
	EXPECT(left == 50);
	all.clear();
	EXPECT(left == 0);
}

} // namespace

int main()
{
	host_machine(64 << 20, 1);

	std::size_t n = kmem_leak_mark(marks, 200);
	alignments();
	failures();
	containers();
	// Two blocks: the string, and its characters.
	std::string *text = new std::string(1000, 'x');
	EXPECT(kmem_leak_report(marks, n, nullptr, nullptr) == 2);
	delete text;
	EXPECT(kmem_leak_report(marks, n, host_print, nullptr) == 0);
	EXPECT(kmem_check_all(host_print, nullptr) == 0);
	std::printf("C++: ok\n");
	return 0;
}
