# Benchmarks: tests/bench/NAME.c is one program; numbers for people, not a test.
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
$(BENCHES): $(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(link) $(ALL_LIBS)
# the sensor's own pipeline, over stand-ins for what is in the kernel
$(B)/tests/bench/pipeline: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/pipeline/*.c)) \
	$(patsubst %,$(B)/obj/userspace/%.o,pipeline announce gaps host identity recover sync) $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(link) $(ALL_LIBS)
bench: $(BENCHES) $(B)/tests/bench/pipeline
.PHONY: bench
