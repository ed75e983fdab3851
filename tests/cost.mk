# The program that measures what a sensor costs, on this machine and in guests that count instructions.
COST := $(B)/tests/cost/cost
$(COST): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/cost/*.c))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^
test-tools: $(COST)
