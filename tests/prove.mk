# make behaviours, make evasions: every row performed in a virtual machine, and looked for in what was delivered.
EVADE := $(B)/tests/evasions/evade
$(EVADE): $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/evasions/*.c))
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(CC) $(filter-out -pie,$(LDFLAGS_ALL)) -static-pie -o $@ $^ -lpthread
test-tools: $(EVADE)

.PHONY: behaviours evasions
behaviours evasions: all $(EVADE)
	@packaging/deps build test
	tests/prove/prove --all --build $(B) $(if $(KERNEL),--kernel $(KERNEL)) $(if $(ROW),-k $(ROW)) $@
	@tests/prove/prove --write $@
