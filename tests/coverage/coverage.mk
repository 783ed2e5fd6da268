# SPDX-License-Identifier: MIT
#
# make coverage [MCDC=1]	which lines and branches of src/ the tests reach

.PHONY: coverage
coverage:
	@MCDC='$(MCDC)' sh tests/coverage/coverage.sh
