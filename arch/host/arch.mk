# SPDX-License-Identifier: MIT
# The host: threads stand for CPUs.
CFLAGS_ARCH := -fPIE
