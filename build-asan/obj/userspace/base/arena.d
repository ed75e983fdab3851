build-asan/obj/userspace/base/arena.o: userspace/base/arena.c \
 userspace/base/arena.h
userspace/base/arena.h:
