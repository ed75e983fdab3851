# Lint, fuzzers, and the tests as a whole; tests/run says what its groups are.
.PHONY: check coverage faults fuzz tsan valgrind

check:
	@packaging/deps build test cross
	@B=$(B) tests/run lint clang

# Every fault as often as tests/faults/README.md says.
faults: all test-tools
	@B=$(B) HINOMI_FAULTS_FULL=1 tests/run faults

# On demand: all unit tests under memcheck; those, delivery and the sensor under ThreadSanitizer.
valgrind tsan:
	@packaging/deps build test
	@B=$(B) tests/run $@

# Lines and branches of spool, seal, frames and verification that their tests take; the table is in docs/tests.md.
coverage:
	@packaging/deps build test
	@$(MAKE) --no-print-directory B=$(B)/coverage CFLAGS="-O0 -g --coverage" HARDEN=-fPIE LDFLAGS=--coverage \
		unit $(B)/coverage/tests/faults/streams
	@tests/coverage $(B)/coverage

# Called by tests/run with B=build/fuzz CC=clang SANITIZE=fuzzer-no-link,address,undefined.
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/*.c))
$(B)/obj/tests/fuzz/%.o: WARN += -Wno-missing-prototypes
$(FUZZERS): $(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(call libs,$(PARTS))
	@mkdir -p $(@D)
	$(CC) -fsanitize=fuzzer,address,undefined -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group \
		-Wl,--as-needed $(ALL_LIBS)
fuzz: $(FUZZERS)
