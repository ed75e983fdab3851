/* SPDX-License-Identifier: Apache-2.0 */
#include "forward/health.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"

#define TELL_AGAIN_NS (60 * NS_PER_SEC)
#define TEXT_MAX      200 /* bytes of the far end's words */

static const char *const names[HEALTH_STATES] = {"not tried yet", "ok",	    "busy",
						 "unreachable",	  "broken", "refusing"};

void health_init(struct health *health, const char *sink, const char *url)
{
	*health = (struct health){.sink = sink, .url = url};
	pthread_mutex_init(&health->lock, NULL);
}

void health_done(struct health *health)
{
	pthread_mutex_destroy(&health->lock);
}

static enum health_state worst(const struct health *health)
{
	enum health_state state = HEALTH_NEW;

	for (int lane = 0; lane < LANES; lane++)
		if (health->lanes[lane] > state)
			state = health->lanes[lane];
	return state;
}

static void tell(const struct health *health, enum health_state state, const char *text)
{
	if (state == HEALTH_OK)
		log_info("sink %s: %s takes what we send", health->sink, health->url);
	else if (state == HEALTH_REFUSED)
		log_error("sink %s: %s: %s", health->sink, health->url, text);
	else
		log_warning("sink %s: %s: %s; nothing is lost, it stays in the spool and is "
			    "tried again after 1 to 60 s",
			    health->sink, health->url, text);
}

void health_set(struct health *health, enum lane lane, enum health_state state, const char *text)
{
	enum health_state now;

	pthread_mutex_lock(&health->lock);
	health->lanes[lane] = state;
	now = worst(health);
	if (now != health->said) {
		health->said = now;
		tell(health, now, text);
	}
	pthread_mutex_unlock(&health->lock);
}

void health_count(struct health *health, enum health_count what, uint64_t n)
{
	atomic_fetch_add(&health->counts[what], n);
}

uint64_t health_counted(const struct health *health, enum health_count what)
{
	return atomic_load(&health->counts[what]);
}

void health_loss(struct health *health, enum health_count what, uint64_t n, const char *text)
{
	uint64_t now_ns = clock_boot_ns();

	health_count(health, what, n);
	pthread_mutex_lock(&health->lock);
	if (!health->told_ns[what] || now_ns - health->told_ns[what] >= TELL_AGAIN_NS) {
		health->told_ns[what] = now_ns;
		log_warning("sink %s: %" PRIu64 " %s", health->sink, health_counted(health, what),
			    text);
	}
	pthread_mutex_unlock(&health->lock);
}

void health_print(struct health *health, FILE *out)
{
	pthread_mutex_lock(&health->lock);
	fprintf(out, "%s: %s, %" PRIu64 " events", health->sink, names[worst(health)],
		health_counted(health, COUNT_EVENTS));
	pthread_mutex_unlock(&health->lock);
	if (health_counted(health, COUNT_DEAD))
		fprintf(out, ", %" PRIu64 " refused", health_counted(health, COUNT_DEAD));
	if (health_counted(health, COUNT_REJECTED))
		fprintf(out, ", %" PRIu64 " rejected", health_counted(health, COUNT_REJECTED));
	if (health_counted(health, COUNT_MISSING))
		fprintf(out, ", %" PRIu64 " frames missing", health_counted(health, COUNT_MISSING));
}

void health_text(char *ret, size_t room, const void *data, size_t size)
{
	FILE *out = fmemopen(ret, room, "w");

	*ret = '\0';
	if (!out)
		return;
	escape_text(out, data, size < TEXT_MAX ? size : TEXT_MAX);
	fclose(out);
	ret[room - 1] = '\0';
}
