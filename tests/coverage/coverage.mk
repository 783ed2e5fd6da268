# SPDX-License-Identifier: MIT
#
# make coverage [MCDC=1]	which lines and branches of src/ the tests reach

.PHONY: coverage
coverage:
	@MCDC='$(MCDC)' sh tests/coverage/coverage.sh

# What the tests share is not counted, and need not be slow. A test with one thread
# needs no atomic counters: these take their time in headers of the library.
ifeq ($(SAN),gcov)
$(TEST_LIB_OBJ): override HOST_CFLAGS := -std=gnu11 -pthread -O2 -g
$(BUILD)/tests/unit/map_%.o: override HOST_CFLAGS += -fprofile-update=single
endif
