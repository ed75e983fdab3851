build-asan/obj/userspace/decode/source.o: userspace/decode/source.c \
 userspace/decode/source.h include/hinomi/record.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h userspace/base/arena.h
userspace/decode/source.h:
include/hinomi/record.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
userspace/base/arena.h:
