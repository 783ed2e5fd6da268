# SPDX-License-Identifier: MIT
#
# arch/riscv64/arch.mk - the flags of a kernel for riscv64, and how it boots:
# in supervisor mode under OpenSBI, or in machine mode without firmware. The
# way numa is sbi on a machine of two nodes, of different sizes; all of the
# zone NORMAL is on the second.

XLEN		:= 64
CLANG_TARGET	:= riscv64-linux-gnu
BOOTS		:= sbi mmode numa
QEMU_CPUS	?= 4
# Above 4G there is memory in zone NORMAL.
QEMU_MEM	?= 6G

QEMU_MEMORY_numa = -machine virt -m 4G \
	-object memory-backend-ram,id=node0,size=1G,reserve=off \
	-object memory-backend-ram,id=node1,size=3G,reserve=off \
	-numa node,nodeid=0,memdev=node0,cpus=0-1 \
	-numa node,nodeid=1,memdev=node1,cpus=2-3

include arch/riscv/riscv.mk
CFLAGS_ARCH	+= -mabi=lp64
