#!/bin/sh
# SPDX-License-Identifier: MIT
#
# size.sh - what kmem costs, in bytes: `make size`.
#
#  1. the library by groups of modules, all of it, for every architecture whose
#     compiler is there
#  2. what a program on a Cortex-M links (program.c), likewise
#  3. what a program in 12 KiB of a Cortex-M0 gets (fill.c, in QEMU), beside
#     other allocators, where their sources are: TLSF=DIR (mattconte's tlsf.c)
#     and HEAP4=DIR (FreeRTOS's heap_4.c)
#
# Everything is compiled for size.

cd "$(dirname "$0")/../.." || exit 1
MAKE=${MAKE:-make}
unset MAKEFLAGS MAKELEVEL MFLAGS CC ARCH BOOT
out=build/size
cflags="-std=c11 -ffreestanding -ffunction-sections -fdata-sections
	-fvisibility=hidden -Iinclude"

# compiler ARCH KIND: and the flags of kernels for it. What gcc calls -Os is
# -Oz to clang.
compiler() {
	cc=$($MAKE -s compiler ARCH="$1" CC="$2") &&
		command -v "${cc%% *}" >/dev/null || return
	[ "$2" = clang ] && cc="$cc -Oz" || cc="$cc -Os"
	echo "$cc -Iarch/$1"
}

# small ARCH KIND: with the choices of a small machine
small() {
	echo "$(compiler "$1" "$2" | sed 's/-DKMEM_[^ ]*//g')" \
		"-include kmem/config_small.h"
}

# objects DIR COMMAND: the library's
objects() {
	mkdir -p "$out/$1"
	for src in src/*.c; do
		mkdir -p "$out/$1/src"
		$2 $cflags -c "$src" -o "$out/$1/src/$(basename "$src" .c).o" ||
			exit 1
	done
}

heading() {
	printf '%-22s %9s %9s %9s %9s %9s %9s %9s %9s %6s %6s %5s %6s\n' "$1" \
		pages slabs magazines caches kmalloc vmalloc boot reports core text \
		data bss
}

# ---- 1: all of the library ----

# A map of all objects, with nothing left out, has the sizes of each.
library() {
	[ -n "$3" ] || return
	objects "$2" "$3"
	size -A "$out/$2"/src/*.o | awk '
		/^[^ ]*\.o *:/ { file = $1 }
		BEGIN { print "Linker script and memory map" }
		/^\.(text|rodata|data|bss)/ {
			printf " %s 0x0 0x%x %s\n", $1, $2, file
		}' | awk -v label="$1" -f tests/size/modules.awk ||
		exit 1
}

echo "The library, gcc -Os; core is all but vmalloc, boot and reports"
heading architecture
for path in arch/*/arch.mk; do
	arch=$(basename "${path%/arch.mk}")
	[ "$arch" = host ] || library "$arch" "$arch" "$(compiler $arch gcc)"
done
library "armv7m, small" armv7m-small "$(small armv7m gcc)"

# ---- 2: what a program links ----

program() {
	dir=$out/program-$1-$2
	cc=$(small "$1" "$2")
	mkdir -p "$dir"
	objects "program-$1-$2" "$cc"
	$cc $cflags -c tests/size/program.c -o "$dir/program.o" || exit 1
	arm-none-eabi-ld --gc-sections -e program -Map "$dir/map" \
		--defsym heap_start=0x20001000 --defsym heap_end=0x20004000 \
		"$dir/program.o" "$dir"/src/*.o -o "$dir/program.elf" || exit 1
	awk -v label="$1, $2" -f tests/size/modules.awk "$dir/map" || exit 1
}

echo
echo "What tests/size/program.c links of it, kmem/config_small.h"
heading "architecture, compiler"
for arch in armv6m armv7m; do
	for kind in gcc clang; do
		program $arch $kind
	done
done

# ---- 3: what is left of 12 KiB ----

# fill NAME SOURCE...: a kernel with that allocator; twice, as the first tells
# how much it has in variables
fill() {
	name=$1
	dir=$out/fill-$name
	shift
	cc=$(small armv6m gcc)
	rm -rf "$dir"
	mkdir -p "$dir/src"
	for src in arch/cortex_m/*.[cS] tests/boot/print.c \
			tests/boot/string.c tests/boot/divide.c \
			tests/size/fill.c; do
		$cc $cflags -c "$src" -o "$dir/$(basename "$src").o" || exit 1
	done
	for src; do
		$cc $cflags $extra -c "$src" \
			-o "$dir/src/$(basename "$src").o" || exit 1
	done
	for statics in 0 again; do
		[ $statics = 0 ] || statics=$(awk -v label="bss only" \
			-f tests/size/modules.awk "$dir/map")
		arm-none-eabi-ld --gc-sections -z noexecstack -T linker/armv6m.ld \
			-Map "$dir/map" --defsym statics="$statics" \
			"$dir"/*.o "$dir"/src/*.o $libs \
			-o "$dir/fill.elf" || exit 1
	done
	timeout 60 qemu-system-arm -machine microbit -accel tcg -nodefaults \
		-display none -semihosting-config enable=on,target=native \
		-kernel "$dir/fill.elf" >"$dir/log" 2>&1
	[ $? -eq 33 ] || { cat "$dir/log"; exit 1; }
	awk -v name="$name" '
		$1 == "statics" { statics = $3; next }
		/^(fill|churn)/ { row = row sprintf(" %5d", $3) }
		END { printf "%-14s %7d%s\n", name, statics, row }' "$dir/log"
}

echo
echo "Bytes that a program gets of 12288, in blocks of one size, of random" \
	"sizes from 8"
echo "to 128, and of these after coming and going; variables are part of" \
	"the 12288"
printf '%-14s %7s' allocator statics
printf ' %5s' 8 12 16 24 32 48 64 100 128 200 256 500 mixed churn
echo
fill kmem src/*.c tests/size/pool_kmem.c

# The others may call the compiler's library.
libs=$(arm-none-eabi-gcc -mcpu=cortex-m0 -print-libgcc-file-name)
if [ -n "$TLSF" ]; then
	extra="-I$TLSF -DNDEBUG -w"
	fill TLSF "$TLSF/tlsf.c" tests/size/pool_tlsf.c
	# The same for blocks of less than 16 KiB only: shorter tables.
	mkdir -p $out/tlsf
	sed 's/FL_INDEX_MAX = 30/FL_INDEX_MAX = 14/' "$TLSF/tlsf.c" \
		>$out/tlsf/tlsf_small.c
	fill TLSF-16K $out/tlsf/tlsf_small.c tests/size/pool_tlsf.c
fi
if [ -n "$HEAP4" ]; then
	# What heap_4.c wants to know of FreeRTOS.
	mkdir -p $out/heap_4
	: >$out/heap_4/task.h
	cat >$out/heap_4/FreeRTOS.h <<'C'
#include <stdint.h>
#define configSUPPORT_DYNAMIC_ALLOCATION 1
#define configAPPLICATION_ALLOCATED_HEAP 1
#define configTOTAL_HEAP_SIZE (12288 - 36)
#define configUSE_MALLOC_FAILED_HOOK 0
#define configENABLE_HEAP_PROTECTOR 0
#define configASSERT(x) ((void)0)
#define configKERNEL_PROVIDED_STATIC_MEMORY 1
#define portBYTE_ALIGNMENT 8
#define portBYTE_ALIGNMENT_MASK 7
#define portPOINTER_SIZE_TYPE uintptr_t
#define portMAX_DELAY 0xffffffffu
#define PRIVILEGED_DATA
#define PRIVILEGED_FUNCTION
#define mtCOVERAGE_TEST_MARKER()
#define traceMALLOC(p, n)
#define traceFREE(p, n)
#define vTaskSuspendAll()
#define xTaskResumeAll() 0
#define taskENTER_CRITICAL()
#define taskEXIT_CRITICAL()
#define ucHeap heap_start
typedef struct {
	size_t xAvailableHeapSpaceInBytes, xSizeOfLargestFreeBlockInBytes,
	       xSizeOfSmallestFreeBlockInBytes, xNumberOfFreeBlocks,
	       xMinimumEverFreeBytesRemaining, xNumberOfSuccessfulAllocations,
	       xNumberOfSuccessfulFrees;
} HeapStats_t;
C
	extra="-I$out/heap_4 -w"
	fill heap_4 "$HEAP4/heap_4.c" tests/size/pool_heap4.c
fi
