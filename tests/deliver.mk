# Programs of the delivery suite that need parts of ours.
DELIVER := $(patsubst tests/deliver/%.c,$(B)/tests/deliver/%,$(wildcard tests/deliver/*.c))
$(DELIVER): $(B)/tests/deliver/%: $(B)/obj/tests/deliver/%.o $(call libs,seal spool frame $(COMMON))
	@mkdir -p $(@D)
	$(link) -lprotobuf-c -lcrypto -lz
deliver-tools: $(DELIVER) $(B)/tests/faultd
.PHONY: deliver-tools
