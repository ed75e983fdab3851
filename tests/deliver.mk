# Programs of the delivery suite that need parts of ours.
DELIVER := $(patsubst tests/deliver/%.c,$(B)/tests/deliver/%,$(wildcard tests/deliver/*.c))
$(DELIVER): $(B)/tests/deliver/%: $(B)/obj/tests/deliver/%.o $(call libs,seal spool frame $(COMMON))
	@mkdir -p $(@D)
	$(link) -lprotobuf-c -lcrypto -lz -lzstd
# Preloaded by the fault suites.
PRELOADED := $(B)/tests/failmalloc.so $(B)/tests/faildisk.so
$(PRELOADED): $(B)/tests/%.so: tests/faults/%.c
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) -D_GNU_SOURCE -fPIC -shared -o $@ $<
# Streams and what forgers make of them.
$(B)/tests/faults/streams: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/faults/streams*.c)) \
		$(B)/lib/cli.a $(call libs,seal frame $(COMMON))
	@mkdir -p $(@D)
	$(link) -lprotobuf-c -lcrypto -lz -lzstd
deliver-tools: $(B)/tests/faults/streams
deliver-tools: $(DELIVER) $(B)/tests/faultd $(PRELOADED)
.PHONY: deliver-tools
