# Benchmarks: numbers for people, not a test. tests/bench/NAME.c is one program; compare, latency and scale run what
# docs/performance.md shows, some ten minutes on a machine that should have nothing else to do.
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))
$(BENCHES): $(B)/tests/bench/%: $(B)/obj/tests/bench/%.o $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(link) $(ALL_LIBS)
# the sensor's own pipeline, over stand-ins for what is in the kernel
$(B)/tests/bench/pipeline: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/pipeline/*.c)) \
	$(patsubst %.c,$(B)/obj/%.o,$(filter-out %/sensor.c %/doctor.c %/doctor_table.c %/prove.c %/confine.c,$(wildcard userspace/*.c))) \
	$(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(link) $(ALL_LIBS)
# tests/suites/25-memory runs it
test-tools: $(B)/tests/bench/pipeline
benches: $(BENCHES) $(B)/tests/bench/pipeline
bench: all test-tools benches
	tests/bench/compare --build $(B) --write
	tests/bench/latency --build $(B) --write
	tests/bench/scale --build $(B) --write
.PHONY: bench benches
