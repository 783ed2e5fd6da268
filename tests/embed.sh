#!/bin/sh
# SPDX-License-Identifier: MIT
#
# embed.sh - the README's lines for Make, CMake and Meson are enough.
#
# A project that has kmem in a subdirectory, as git would check it out, is
# built with each, and runs. The lines are taken from the README, with the
# hosted port for an architecture, so that the result is a program. Afterwards
# kmem's directory is as it was.

cd "$(dirname "$0")/.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0

# lines LANGUAGE: the README's block
lines() {
	awk -v start="\`\`\`$1" '$0 == start { on = 1; next }
		/^```$/ { on = 0 } on' README.md | sed 's|arch/riscv64|arch/host|'
}

# project NAME: the same program for all
project() {
	mkdir -p "$dir/$1/kmem"
	git ls-files -z --cached --others --exclude-standard |
		xargs -0 cp --parents -t "$dir/$1/kmem"
	lines c | sed '/^}$/q' >"$dir/$1/main.c"
	(cd "$dir/$1" && find kmem | sort >before)
}

# finish NAME PROGRAM: it runs, and nothing was written into kmem
finish() {
	(cd "$dir/$1" && "./$2" >report && find kmem | sort | cmp - before) ||
		{ echo "FAILED: $1"; tail -n 20 "$dir/$1/log"; bad=1; }
}

project make
{
	echo 'SRCS := main.c kmem/arch/host/host.c'
	lines make
	printf 'kernel: $(OBJS)\n\t$(CC) $^ -pthread -o $@\n'
	printf 'build/%%.o: %%.c\n\tmkdir -p $(@D)\n'
	printf '\t$(CC) $(CFLAGS) -c $< -o $@\n'
} >"$dir/make/Makefile"
make -C "$dir/make" >"$dir/make/log" 2>&1
finish make kernel

project cmake
{
	echo 'cmake_minimum_required(VERSION 3.13)'
	echo 'project(kernel C)'
	echo 'add_executable(kernel main.c kmem/arch/host/host.c)'
	lines cmake
} >"$dir/cmake/CMakeLists.txt"
{ cmake -S "$dir/cmake" -B "$dir/cmake/build" &&
	cmake --build "$dir/cmake/build"; } >"$dir/cmake/log" 2>&1
finish cmake build/kernel

project meson
{
	echo "project('kernel', 'c')"
	echo "sources = ['main.c', 'kmem/arch/host/host.c']"
	lines meson
} >"$dir/meson/meson.build"
{ meson setup "$dir/meson/build" "$dir/meson" &&
	meson compile -C "$dir/meson/build"; } >"$dir/meson/log" 2>&1
finish meson build/kernel

[ $bad -eq 0 ] && echo "embedded with make, cmake and meson"
exit $bad
