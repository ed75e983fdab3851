# Unit tests of what is the sensor's own and in no folder: all of userspace/*.c but its main program.
SENSOR_OBJ := $(filter-out %/sensor.o %/doctor.o %/doctor_table.o,$(patsubst %.c,$(B)/obj/%.o,$(wildcard userspace/*.c)))
$(B)/tests/unit/output $(B)/tests/unit/identity $(B)/tests/unit/commit $(B)/tests/unit/confine $(B)/tests/unit/skipped $(B)/tests/unit/state_powercut: $(SENSOR_OBJ)
