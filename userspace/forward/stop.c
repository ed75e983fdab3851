/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/stop.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

int stop_init(struct stop *stop)
{
	atomic_init(&stop->at_ns, 0);
	stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return stop->fd < 0 ? -errno : 0;
}

void stop_done(struct stop *stop)
{
	if (stop->fd >= 0)
		close(stop->fd);
	stop->fd = -1;
}

void stop_ask(struct stop *stop)
{
	uint64_t never = 0;

	atomic_compare_exchange_strong(&stop->at_ns, &never, clock_boot_ns());
	eventfd_write(stop->fd, 1); /* stays readable: nobody reads it */
}

bool stop_asked(const struct stop *stop)
{
	return atomic_load(&stop->at_ns) != 0;
}

bool stop_overdue(const struct stop *stop)
{
	uint64_t at_ns = atomic_load(&stop->at_ns);

	return at_ns && clock_boot_ns() - at_ns > STOP_GRACE_NS;
}

void stop_wait(const struct stop *stop, int fd, uint64_t wait_ns)
{
	struct pollfd fds[] = {{.fd = stop->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	struct timespec wait = {.tv_sec = (time_t)(wait_ns / NS_PER_SEC),
				.tv_nsec = (long)(wait_ns % NS_PER_SEC)};

	ppoll(fds, 2, &wait, NULL);
}
