build-asan/obj/userspace/event/event.o: userspace/event/event.c \
 userspace/event/event.h include/hinomi/kinds.h \
 build-asan/gen/event.pb-c.h
userspace/event/event.h:
include/hinomi/kinds.h:
build-asan/gen/event.pb-c.h:
