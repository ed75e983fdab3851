build-asan/obj/userspace/decode/address.o: userspace/decode/address.c \
 userspace/decode/source.h include/hinomi/record.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h
userspace/decode/source.h:
include/hinomi/record.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
