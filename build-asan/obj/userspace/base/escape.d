build-asan/obj/userspace/base/escape.o: userspace/base/escape.c \
 userspace/base/escape.h
userspace/base/escape.h:
