# SPDX-License-Identifier: Apache-2.0
# make          build everything below build/
# make run      install what the build needs, build, run sensor and forwarder in the foreground (root)
# make test     install what the tests need and run all of them (root)
# make check    format, warnings, static analysis, layering
# make arm64    all programs for arm64, below build/arm64
# make install  DESTDIR= PREFIX=/usr
# make vmtest KERNEL=6.12   the end-to-end tests on one real kernel
# make coverage-matrix budget   what each kernel says of itself, into tables that are committed

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

PREFIX ?= /usr
CC := gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
HOST_ARCH := $(shell uname -m)
ARCH ?= $(HOST_ARCH)
B ?= build$(if $(filter-out $(HOST_ARCH),$(ARCH)),/$(BPF_ARCH))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(patsubst $(CURDIR)/%,%,$@))

VERSION := $(shell git describe --always --dirty --tags 2>/dev/null || cat VERSION 2>/dev/null || echo unknown)
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(ARCH)))

SANITIZE ?=
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-missing-field-initializers
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
CPPFLAGS += -D_GNU_SOURCE -Iinclude -Iuserspace -I$(B)/gen
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu11 $(CFLAGS) $(WARN) $(if $(SANITIZE),-Wno-error -fsanitize=$(SANITIZE) -fno-omit-frame-pointer,$(HARDEN)) \
	-ffile-prefix-map=$(CURDIR)=. -MMD -MP
LDFLAGS_ALL = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE),-pie -Wl,-z,relro,-z,now) -Wl,--as-needed

# ---- what each program is made of: folders of userspace/, then libraries
COMMON := event base
sensor_PARTS := attach ring decode enrich filter guard seal frame spool stats config $(COMMON)
sensor_LIBS := -lbpf -lelf -lz -lzstd -lprotobuf-c -lcrypto -lpthread
forward_PARTS := forward render frame spool config $(COMMON)
forward_LIBS := -lcurl -lz -lzstd -lprotobuf-c -lcrypto -lpthread
collect_PARTS := collect render frame spool config $(COMMON)
collect_LIBS := -lmicrohttpd -lgnutls -lz -lzstd -lprotobuf-c -lcrypto -lpthread
cli_PARTS := cli render frame spool filter config $(COMMON)
cli_LIBS := -lz -lzstd -lprotobuf-c -lcrypto
PROGRAMS := $(B)/hinomi $(if $(SANITIZE),,$(B)/hinomi-verify) $(B)/libexec/hinomi-sensor $(B)/libexec/hinomi-forward $(B)/libexec/hinomi-collect

PARTS := $(sort $(sensor_PARTS) $(forward_PARTS) $(collect_PARTS) $(cli_PARTS))
ALL_LIBS := $(sort $(sensor_LIBS) $(forward_LIBS) $(collect_LIBS))

all: $(PROGRAMS)

# ---- protobuf
PROTO := object process file network kernel summary sensor event frame otlp collect
GEN_H := $(PROTO:%=$(B)/gen/%.pb-c.h) $(B)/gen/hinomi.skel.h
$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h: proto/%.proto
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)protoc-c -Iproto --c_out=$(B)/gen $<
PROTO_OBJ := $(PROTO:%=$(B)/obj/gen/%.pb-c.o)

# ---- BPF: one object per architecture, for every kernel
BPF_SRC := $(wildcard bpf/*.bpf.c)
BPF_OBJ := $(BPF_SRC:bpf/%.bpf.c=$(B)/bpf/%.bpf.o)
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -std=gnu11 -Wall -Wextra -Werror \
	-Wno-unused-parameter -Iinclude -Ibpf -ffile-prefix-map=$(CURDIR)=. -fdebug-compilation-dir=.
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@
$(B)/bpf/hinomi.o: $(BPF_OBJ)
	$(call say,GEN)
	$(Q)$(BPFTOOL) gen object $@ $^
$(B)/gen/hinomi.skel.h: $(B)/bpf/hinomi.o
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)$(BPFTOOL) gen skeleton $< name hinomi_bpf > $@

# ---- user space
$(B)/obj/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 $(CFLAGS) -fPIE $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -c $< -o $@
$(B)/obj/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) -DHINOMI_VERSION='"$(VERSION)"' -DPREFIX='"$(PREFIX)"' $(CFLAGS_ALL) -c $< -o $@

objs = $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(foreach d,$(1),$(wildcard userspace/$(d)/*.c))))
define ARCHIVE
$(B)/lib/$(1).a: $(call objs,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(call say,AR)
	$$(Q)ar rcsD $$@ $$^
endef
$(foreach p,$(PARTS),$(eval $(call ARCHIVE,$(p))))
$(B)/lib/gen.a: $(PROTO_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)
	$(Q)ar rcsD $@ $^
libs = $(foreach p,$(1),$(B)/lib/$(p).a) $(B)/lib/gen.a
link = $(CC) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(B)/hinomi: $(B)/obj/userspace/cli/main.o $(call libs,$(cli_PARTS))
	$(call say,LINK)
	$(Q)$(link) $(cli_LIBS)
# to be carried to a machine that has nothing else; the linker warns of what libcrypto could look up by name
$(B)/hinomi-verify: $(B)/obj/userspace/verify/main.o $(call libs,$(cli_PARTS))
	$(call say,LINK)
	$(Q)$(link) -static-pie -Wl,--no-warnings $(cli_LIBS)
$(B)/libexec/hinomi-sensor: $(patsubst %.c,$(B)/obj/%.o,$(wildcard userspace/*.c)) $(call libs,$(sensor_PARTS))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(sensor_LIBS)
$(B)/libexec/hinomi-forward: $(B)/obj/userspace/forward/main.o $(call libs,$(forward_PARTS))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(forward_LIBS)
$(B)/libexec/hinomi-collect: $(B)/obj/userspace/collect/main.o $(call libs,$(collect_PARTS))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(collect_LIBS)

# ---- tests: tests/unit/NAME.c is one program; it links everything
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/*.c))
$(UNIT): $(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(ALL_LIBS) -lcmocka
# tests/unit/nth.h makes each of these fail
NTH_CALLS := malloc calloc realloc reallocarray strdup mmap getrandom open openat fcntl read pread write pwrite pwritev \
	fstat fstatat fsync fdatasync fchmod fchown fallocate ftruncate mkdirat unlinkat renameat linkat fdopendir \
	inotify_init1 inotify_add_watch
$(filter $(B)/tests/unit/nth_%,$(UNIT)): LDFLAGS_ALL += $(NTH_CALLS:%=-Wl,--wrap=%)
unit: $(UNIT)
# other test programs and drivers need nothing of ours but headers
TOOLS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*.c))
$(TOOLS): $(B)/tests/%: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) $< -o $@ -lpthread
test-tools: $(TOOLS)

clean:
	rm -rf $(B)

.PHONY: all unit test-tools clean
-include $(wildcard tests/*.mk packaging/*.mk vmtest/*.mk)
-include $(shell find $(B) -path '$(B)/vmtest' -prune -o -type f -name '*.d' -print 2>/dev/null)
