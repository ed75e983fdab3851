build-asan/obj/userspace/base/clock.o: userspace/base/clock.c \
 userspace/base/clock.h
userspace/base/clock.h:
