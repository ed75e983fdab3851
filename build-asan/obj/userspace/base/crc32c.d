build-asan/obj/userspace/base/crc32c.o: userspace/base/crc32c.c \
 userspace/base/crc32c.h
userspace/base/crc32c.h:
