build-asan/obj/userspace/decode/decode.o: userspace/decode/decode.c \
 userspace/decode/decode.h userspace/event/event.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h include/hinomi/record.h \
 userspace/base/arena.h userspace/decode/bodies.h \
 userspace/decode/source.h
userspace/decode/decode.h:
userspace/event/event.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
include/hinomi/record.h:
userspace/base/arena.h:
userspace/decode/bodies.h:
userspace/decode/source.h:
