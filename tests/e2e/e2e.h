/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One test is an actor and a check.  The actor is a child inside the suite's
 * cgroup that makes real system calls and notes in `facts` what the kernel told
 * it.  When the sensor has stopped, the check takes from the spool every event
 * that the actor and its descendants made, compares, and must leave none over.
 */
#pragma once

#include <hinomi/kinds.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "frame.pb-c.h"

#define NOBODY		     65534
#define CHILD_ENV	     "HINOMI_E2E_CHILD" /* set: the program is the one that a test executes */
#define FIRST_USER_NAMESPACE 0xeffffffd		/* PROC_USER_INIT_INO of the kernel */
#define LONG_PATH	     (2 * PATH_MAX)

/* Shared between the suite and its actor. */
struct facts {
	const char *cgroup; /* of the suite, absolute */
	char dir[256];	    /* the test's own directory, resolved; the actor's working directory */
	pid_t actor;
	int start;		   /* a byte into it lets the actor go */
	bool ready;		   /* it waits for that */
	uint64_t begin_ns, end_ns; /* boot time, around all that it did */
	int status;		   /* as wait(2) has it */
	char skipped[160];	   /* why this machine cannot */
	char failed[256];	   /* what went wrong in the actor */
	/* noted by the test for its check */
	pid_t pid[4];
	int error[4];
	uint64_t number[8];
	struct stat stat[4];
	char path[4][LONG_PATH];
	struct sockaddr_storage address[4];
	socklen_t address_len[4];
};

struct check;

struct test {
	const char *name;		      /* CLASS/WHAT */
	void (*prepare)(struct facts *facts); /* outside the cgroup, unseen; or NULL */
	void (*act)(struct facts *facts);
	void (*check)(struct check *check);
	void (*hold)(struct facts *facts); /* in the actor, before it is looked at; or NULL */
	bool nobody;	    /* the actor is uid and gid 65534 from before it is looked at */
	bool early;	    /* the actor is there before the sensor */
	bool watched;	    /* the sensor must be there while it acts */
	const char *cgroup; /* below the suite's, for this actor alone; or NULL */
	int status;	    /* how the actor ends, as wait(2) has it */
};

extern const struct test exec_tests[], args_tests[], fork_tests[], exit_tests[], creds_tests[],
	create_tests[], open_tests[], names_tests[], attr_tests[], inet_tests[], unix_tests[],
	place_tests[], compat_tests[], uring_tests[], process_tests[], flows_tests[],
	special_tests[], inject_tests[], mount_tests[], change_tests[], login_tests[],
	origin_tests[], opening_tests[], net_change_tests[], watch_tests[], program_tests[],
	system_tests[], launch_tests[], restrict_tests[], memory_tests[], overlay_tests[],
	mount_api_tests[], refused_tests[], activity_tests[], lane_tests[], module_tests[],
	compat_old_tests[], family_tests[], dns_tests[], crowd_tests[];

int login_child(void); /* the program with CHILD_ENV=login */

/* ---- actor.c: inside the actor */
#define must(call)                               \
	({                                       \
		__typeof__(call) must_ = (call); \
		if ((long)must_ == -1)           \
			act_fail(facts, #call);  \
		must_;                           \
	})
void act_fail(struct facts *facts, const char *what) __attribute__((noreturn));
void act_skip(struct facts *facts, const char *why, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
/* A file's name in the test's directory, noted as path[n] with the directory in front. */
const char *act_path(struct facts *facts, int n, const char *name);
/* A child of the actor that runs fn and exits with what it returns. */
pid_t act_fork(struct facts *facts, int (*fn)(struct facts *));
int act_reap(struct facts *facts, pid_t pid); /* its wait status */
/* A child, pid[0], that executes the program and must end with 0. */
void act_exec(struct facts *facts, const char *path, const char *const *argv);
/* Sends by a ring of io_uring; bytes that went, or -errno. */
int act_ring_send(struct facts *facts, int fd, const void *bytes, size_t size);
/* errno of what returned -1, 0 else; noted as error[n] */
int act_tried(struct facts *facts, int n, long result);
/* Copies this program to path[n] (in prepare): executed with CHILD_ENV it ends at once with 0. */
void program_copy(struct facts *facts, int n, const char *name, mode_t mode);
void file_make(struct facts *facts, int n, const char *name, const char *content, mode_t mode);
extern char *child_env[];
void test_run(const struct test *test, struct facts *facts, const char *root);
void test_begin(const struct test *test, struct facts *facts, const char *root);
void test_go(const struct test *test, struct facts *facts);

/* ---- story.c: what the spool holds */
struct seen {
	const Hinomi__Event *event;
	const Hinomi__Process *process; /* may be NULL */
	const struct frame *frame;
	unsigned kind;
	bool taken;
};

struct story {
	struct frame **frames; /* of both lanes, in order within each */
	size_t nframes;
	struct seen *events; /* by time */
	size_t nevents;
	uint64_t excused[KINDS_MAX]; /* events that tests went without, see take_of() */
	bool unjudged;		     /* for want of one a test has no verdict */
};

int story_read(const char *spool, struct story *story);
/* How many of a class gaps of a cause declare; of any cause: -1. */
uint64_t story_told(const struct story *story, unsigned kind, int cause);
const struct seen *story_first(const struct story *story, unsigned kind);

/* ---- check.c */
struct check {
	const struct test *test; /* NULL for checks of the whole run */
	struct facts *facts;
	struct story *story;
	uint64_t cgroup_id;
	char *cgroup_path;
	unsigned failures;
	char first[768];  /* what was wrong first */
	char skipped[80]; /* no verdict: an event is missing, and a gap declares one */
};

void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The next event of this kind that the actor's family made; NULL, and a failure, when there is
 * none: unless gaps declare that the kernel skipped one more of the class than tests miss. */
const struct seen *take(struct check *check, unsigned kind);
/* The same, of one process. */
const struct seen *take_of(struct check *check, unsigned kind, pid_t pid);
/* The ends of connections, which are not what the test is about. */
void take_ends(struct check *check);
/* The connect of a connection to a listener of its own, and all else of it. */
const struct seen *take_connect(struct check *check);
/* One more of it, without taking it. */
bool there_is(struct check *check, unsigned kind);
bool there_is_of(struct check *check, unsigned kind, pid_t pid);
unsigned tier_of(const struct check *check,
		 unsigned kind); /* of the class, as the sensor said at its start */
/* Does the class see what write sends to sockets? */
bool sees_writes(const struct check *check, unsigned kind);
void want_number(struct check *check, const char *what, uint64_t want, uint64_t got);
void want_bytes(struct check *check, const char *what, const void *want, size_t size,
		const ProtobufCBinaryData *got);
void want_text(struct check *check, const char *what, const char *want,
	       const ProtobufCBinaryData *got);
void want_tail(struct check *check, const char *what, const char *want,
	       const ProtobufCBinaryData *got);
void want_true(struct check *check, const char *what, bool is);
void want_key(struct check *check, const char *what, const Hinomi__ProcessKey *want,
	      const Hinomi__ProcessKey *got);
void want_ids(struct check *check, const char *what, uint32_t uid, uint32_t gid,
	      const Hinomi__Credentials *got);
void want_namespaces(struct check *check, const char *what, const uint64_t *want,
		     const Hinomi__Namespaces *got);
/* A file by the object that the kernel has. */
void want_file(struct check *check, const char *path, const struct stat *st,
	       const Hinomi__File *got);
/* A file of which only the name that the caller gave is known. */
void want_asked(struct check *check, const char *path, const Hinomi__File *got);
void want_address(struct check *check, const char *what, const struct sockaddr_storage *want,
		  socklen_t len, const Hinomi__Address *got);
void want_socket(struct check *check, int family, int type, int protocol, uint64_t inode,
		 const Hinomi__Socket *got);
/* The exit of a child that was forked and ended with this wait status. */
void want_child(struct check *check, pid_t pid, int status);
void want_result(struct check *check, int error, const struct seen *seen);
const char *seen_text(const struct seen *seen, char *text, size_t size); /* for messages */
enum { NS_MNT, NS_PID, NS_NET, NS_USER, NS_UTS, NS_IPC, NS_CGROUP, NS_COUNT };
void namespaces_read(uint64_t ids[NS_COUNT]);

void verdict(const char *name, const struct check *check);
void verdict_skip(const char *name, const char *why);
unsigned verdicts_failed(void);

/* ---- ledger.c, fields.c, sensor_events.c: of the run as a whole */
bool same_rings(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b);
void for_each_rings(struct check *check,
		    void (*fn)(struct check *check, const ProtobufCBinaryData *rings));
void check_ledger(struct check *check);
void check_sequences(struct check *check);
void check_chain(struct check *check);
void check_fields(struct check *check);
void check_start(struct check *check);
void check_resumed(struct check *check);
void check_stop(struct check *check);
void check_heartbeat(struct check *check);
void check_coverage(struct check *check);
void check_tiers(struct check *check);

/* ---- cgroup.c */
const char *cgroup_root(void); /* where cgroup v2 is mounted; NULL: nowhere */
int cgroup_make(const char *path);
int cgroup_enter(const char *path, pid_t pid);
void cgroup_remove(const char *path);

/* ---- manager.c: the descriptor store, as systemd has it */
#define STORED_MAX 512

struct manager {
	int socket;
	int fds[STORED_MAX];
	char names[STORED_MAX][96];
	size_t n;
};

int manager_open(struct manager *manager, const char *dir);
int manager_hear(struct manager *manager); /* 1: ready; 0: something else; -EAGAIN: nothing */
void manager_hand_over(const struct manager *manager);
void manager_drop(struct manager *manager);

/* ---- sensor.c */
struct sensor {
	const char *program, *spool, *cgroup, *dir;
	char *const *arguments; /* more of them; or NULL */
	const char *config;	/* content of its file */
	pid_t pid;
	struct manager manager;
};

/* ---- mount.c */
void own_mounts(struct facts *facts); /* what is mounted then stays with the actor */
const Hinomi__Mount *mount_told(struct check *check, int action, int error);

/* ---- watch.c */
void watch_places(const char *root, char *config, size_t size);

/* ---- losses.c */
extern const char losses_config[];
int losses_act(struct sensor *sensor);
void check_losses(struct check *check);

extern pid_t sensor_pid;		 /* the last that was started */
int sensor_start(struct sensor *sensor); /* until it says that it is ready */
int sensor_stop(struct sensor *sensor);	 /* its wait status */
void sensor_kill(struct sensor *sensor); /* what it left with us stays */
