build-asan/obj/tests/unit/decode.o: tests/unit/decode.c \
 userspace/base/arena.h userspace/base/cleanup.h \
 userspace/decode/decode.h userspace/event/event.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h include/hinomi/record.h
userspace/base/arena.h:
userspace/base/cleanup.h:
userspace/decode/decode.h:
userspace/event/event.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
include/hinomi/record.h:
