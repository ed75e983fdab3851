# What each BPF program costs the verifier of the running kernel.
PROGRAMS_TEST := $(B)/tests/verifier/programs
$(PROGRAMS_TEST): $(B)/obj/tests/verifier/programs.o $(call libs,attach event base)
	@mkdir -p $(@D)
	$(call say,LINK)
	$(Q)$(link) $(sensor_LIBS)
test-tools: $(PROGRAMS_TEST)
