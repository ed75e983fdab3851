# The end-to-end tests: one program that reads the spool with the readers' own libraries.
E2E := $(B)/tests/e2e/e2e
$(E2E): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/e2e/*.c)) $(call libs,render frame spool event base)
	@mkdir -p $(@D)
	$(link) -lprotobuf-c -lcrypto -lz -lzstd -lpthread
test-tools: $(E2E)
