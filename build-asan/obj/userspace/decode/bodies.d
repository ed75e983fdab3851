build-asan/obj/userspace/decode/bodies.o: userspace/decode/bodies.c \
 userspace/decode/bodies.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h userspace/decode/source.h \
 include/hinomi/record.h
userspace/decode/bodies.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
userspace/decode/source.h:
include/hinomi/record.h:
