# Building for the other architecture: `make arm64` installs what that needs and builds everything;
# `make ARCH=aarch64 TARGET` builds one target of it. Libraries and headers come from the cache (vmtest/sysroot).
ifneq ($(ARCH),$(HOST_ARCH))
SYSROOT = $(eval SYSROOT := $(or $(shell vmtest/sysroot $(patsubst x86,amd64,$(BPF_ARCH))),\
	$(error there are no libraries for $(ARCH) here)))$(SYSROOT)
CC = $(ARCH)-linux-gnu-gcc --sysroot=$(SYSROOT)
endif

.PHONY: arm64 compat
arm64:
	@packaging/deps build cross
	@$(MAKE) --no-print-directory ARCH=aarch64 B=$(B)/arm64 all test-tools
	@$(MAKE) --no-print-directory ARCH=aarch64 B=$(B)/arm64 compat

# The end-to-end tests as a 32-bit program: every system call through the kernel's other table.
compat_CC_x86 = i686-linux-gnu-gcc --sysroot=$$(vmtest/sysroot i386)
compat_CC_arm64 = arm-linux-gnueabihf-gcc --sysroot=$$(vmtest/sysroot armhf)
compat:
	@packaging/deps build cross
	@$(MAKE) --no-print-directory ARCH=$(ARCH) B=$(B)/compat LDFLAGS_ALL="-static -s -Wl,-w" \
		CC="$(compat_CC_$(BPF_ARCH)) -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -Wno-psabi" $(B)/compat/tests/e2e/e2e
