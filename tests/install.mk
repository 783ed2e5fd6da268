# SPDX-License-Identifier: MIT
#
# make install [ARCH=x86_64] [PREFIX=/usr/local] [DESTDIR=]
# make uninstall, with the same
#
# Included by the top-level Makefile. Architectures live side by side, and so
# do a plain and a DEBUG=1 build. For ARCH=x86_64:
#
#	PREFIX/include/kmem/*.h				the same for all
#	PREFIX/lib/kmem/x86_64/libkmem.a
#	PREFIX/lib/kmem/x86_64/include/kmem_arch.h
#	PREFIX/lib/pkgconfig/kmem-x86_64.pc
#
# Choices of <kmem/config.h> that the library was built with are in the
# pkg-config file, for who uses the headers must make the same.

PREFIX	?= /usr/local
DESTDIR	?=
INSTALL	?= install

VARIANT	:= $(notdir $(BUILD))
INST_PC	:= $(DESTDIR)$(PREFIX)/lib/pkgconfig/kmem-$(VARIANT).pc
INST_DIR := $(DESTDIR)$(PREFIX)/lib/kmem/$(VARIANT)
INST_INC := $(DESTDIR)$(PREFIX)/include/kmem

# Of the hosted port, also the machine: arch/host/host.h.
ifeq ($(ARCH),host)
INST_LIBS := $(LIB) $(BUILD)/libkmem-host.a
INST_LDFLAGS := -lkmem-host -lkmem -pthread
INST_HEADERS := arch/host/kmem_arch.h arch/host/host.h
else
INST_LIBS := $(LIB)
INST_LDFLAGS := -lkmem
INST_HEADERS := arch/$(ARCH)/kmem_arch.h
endif

$(BUILD)/libkmem-host.a: $(BUILD)/arch/host/host.o
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

define PC_FILE
prefix=$(PREFIX)
libdir=$${prefix}/lib/kmem/$(VARIANT)

Name: kmem
Description: buddy and slab allocator for kernels, for $(ARCH)
Version: $(VERSION)
Cflags: $(strip -I$${prefix}/include -I$${libdir}/include \
	$(filter -DKMEM_%,$(CPPFLAGS) $(CFLAGS)))
Libs: -L$${libdir} $(INST_LDFLAGS)
endef

.PHONY: install uninstall
install: export PC_TEXT = $(PC_FILE)
install: $(INST_LIBS)
	$(INSTALL) -d '$(INST_INC)' '$(INST_DIR)/include' '$(dir $(INST_PC))'
	$(INSTALL) -m 644 include/kmem/*.h '$(INST_INC)'
	for h in $(INST_HEADERS); do awk -f tests/flat.awk $$h \
		>'$(INST_DIR)/include'/$$(basename $$h) || exit 1; done
	chmod 644 '$(INST_DIR)'/include/*.h
	$(INSTALL) -m 644 $(INST_LIBS) '$(INST_DIR)'
	printf '%s\n' "$$PC_TEXT" >'$(INST_PC)'
	chmod 644 '$(INST_PC)'

# The common headers go with the last of the architectures.
uninstall:
	rm -rf '$(INST_DIR)' '$(INST_PC)'
	if rmdir '$(dir $(INST_DIR))' 2>/dev/null; then \
		rm -rf '$(INST_INC)'; fi
