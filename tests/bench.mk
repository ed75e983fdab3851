# Benchmarks: tests/bench/NAME.c is one program; numbers for people, not a test.
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
$(BENCHES): $(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(link) $(ALL_LIBS)
bench: $(BENCHES)
.PHONY: bench
