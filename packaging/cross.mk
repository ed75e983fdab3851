# Building for the other architecture: `make arm64` installs what that needs and builds everything;
# `make ARCH=aarch64 TARGET` builds one target of it. Libraries and headers come from the cache (vmtest/sysroot).
ifneq ($(ARCH),$(HOST_ARCH))
SYSROOT = $(eval SYSROOT := $(or $(shell vmtest/sysroot $(patsubst x86,amd64,$(BPF_ARCH))),\
	$(error there are no libraries for $(ARCH) here)))$(SYSROOT)
CC = $(ARCH)-linux-gnu-gcc --sysroot=$(SYSROOT)
endif

.PHONY: arm64
arm64:
	@packaging/deps build cross
	@$(MAKE) --no-print-directory ARCH=aarch64 B=$(B)/arm64 all test-tools
