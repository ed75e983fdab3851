// SPDX-License-Identifier: Apache-2.0
/* Arguments that change while they are looked at, names that are not what they seem, other doors to
 * the kernel. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "evade.h"

#define ATTEMPTS 300
#define PAGE	 4096

struct flip {
	volatile char *at;
	char one, other;
	atomic_bool is_over;
};

static void *flip_on(void *context)
{
	struct flip *flip = context;

	while (!atomic_load(&flip->is_over)) {
		*flip->at = flip->other;
		sched_yield();
		*flip->at = flip->one;
		sched_yield();
	}
	return NULL;
}

/* A second thread changes the name while open() looks at it: which file was it? */
static int toctou_open(char **argv)
{
	static char path[] = "file.a";
	struct flip flip = {.at = path + 5, .one = 'a', .other = 'b'};
	unsigned count[2] = {0};
	struct stat wanted[2], got;
	pthread_t thread;

	(void)argv;
	for (int i = 0; i < 2; i++) {
		char name[] = {'f', 'i', 'l', 'e', '.', (char)('a' + i), 0};
		int fd = (int)must(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

		fstat(fd, &wanted[i]);
		close(fd);
		note(i ? "b" : "a", "%ju", (uintmax_t)wanted[i].st_ino);
	}
	prctl(PR_SET_NAME, "flipper");
	pthread_create(&thread, NULL, flip_on, &flip);
	for (int i = 0; i < ATTEMPTS; i++) {
		int fd = (int)must(open(path, O_WRONLY | O_CLOEXEC));

		fstat(fd, &got);
		count[got.st_ino == wanted[1].st_ino]++;
		close(fd);
	}
	atomic_store(&flip.is_over, true);
	pthread_join(thread, NULL);
	note("times_a", "%u", count[0]);
	note("times_b", "%u", count[1]);
	return 0;
}

/* The same with the port of connect(). */
static int toctou_connect(char **argv)
{
	static struct sockaddr_in to = {.sin_family = AF_INET};
	struct flip flip = {.at = (char *)&to.sin_port + 1, .one = 1, .other = 2};
	unsigned count[2] = {0};
	pthread_t thread;

	(void)argv;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(0x2701);
	prctl(PR_SET_NAME, "flipper");
	pthread_create(&thread, NULL, flip_on, &flip);
	for (int i = 0; i < ATTEMPTS; i++) {
		int fd = (int)must(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
		struct sockaddr_in got;
		socklen_t size = sizeof(got);

		must(connect(fd, (struct sockaddr *)&to, sizeof(to)));
		must(getpeername(fd, (struct sockaddr *)&got, &size));
		count[got.sin_port == htons(0x2702)]++;
		close(fd);
	}
	atomic_store(&flip.is_over, true);
	pthread_join(thread, NULL);
	note("times_1", "%u", count[0]);
	note("times_2", "%u", count[1]);
	return 0;
}

/* Answers one page fault, late, with what was meant all along. */
static void *answer_fault(void *context)
{
	static char page[PAGE] __attribute__((aligned(PAGE))) = "out-of-the-fault";
	int fd = *(int *)context;
	struct uffd_msg message;

	if (read(fd, &message, sizeof(message)) != sizeof(message))
		return NULL;
	usleep(100000);
	ioctl(fd, UFFDIO_COPY,
	      &(struct uffdio_copy){.dst = message.arg.pagefault.address & ~(PAGE - 1ULL),
				    .src = (uintptr_t)page,
				    .len = PAGE});
	return NULL;
}

static int exec_fault(char **argv)
{
	struct uffdio_api api = {.api = UFFD_API};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register range = {.range = {(uintptr_t)page, PAGE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};
	pthread_t thread;

	(void)argv;
	if (fd < 0)
		return skip("this kernel has no userfaultfd");
	must(ioctl(fd, UFFDIO_API, &api));
	must(ioctl(fd, UFFDIO_REGISTER, &range));
	pthread_create(&thread, NULL, answer_fault, &fd);
	execl("/bin/true", "true", "faulted", page, NULL);
	return STATUS_FAILED;
}

#if defined(__x86_64__)
static long int80(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

/* creat, rename, and unlink by the table of 32 bits */
static int ia32(char **argv)
{
	char *name = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	enum { creat_32 = 8, unlink_32 = 10, execve_32 = 11, rename_32 = 38 };
	uint32_t *words = (uint32_t *)(name + 512);
	long fd;

	(void)argv;
	strcpy(name, "compat-file");
	strcpy(name + 64, "compat-name");
	fd = int80(creat_32, (long)name, 0600, 0);
	if (fd == -ENOSYS)
		return skip("this kernel has no 32-bit system calls");
	note_inode("inode", (int)must(fd));
	must(int80(rename_32, (long)name, (long)name + 64, 0));
	must(int80(unlink_32, (long)name + 64, 0, 0));
	strcpy(name + 128, "/bin/true");
	strcpy(name + 192, "by-32-bits");
	words[0] = (uint32_t)(uintptr_t)(name + 128);
	words[1] = (uint32_t)(uintptr_t)(name + 192);
	return (int)must(int80(execve_32, (long)name + 128, (long)words, (long)(words + 2)));
}

static int x32(char **argv)
{
	long fd = syscall(SYS_openat | 0x40000000, AT_FDCWD, "x32-file", O_WRONLY | O_CREAT, 0600);

	(void)argv;
	if (fd < 0 && errno == ENOSYS)
		return skip("this kernel has no x32 system calls");
	note_inode("inode", (int)must(fd));
	return 0;
}
#else
static int ia32(char **argv)
{
	(void)argv;
	return skip("this architecture has no int 0x80");
}

static int x32(char **argv)
{
	(void)argv;
	return skip("this architecture has no x32");
}
#endif

static void fill(int to)
{
	char bytes[65536];
	int fd = (int)must(open("/bin/true", O_RDONLY | O_CLOEXEC));
	ssize_t got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		must(write(to, bytes, (size_t)got));
	close(fd);
}

/* A program that was never a file on a disk. */
static int memfd(char **argv)
{
	char *const arguments[] = {(char *)"in-memory", (char *)"only", NULL}, *const none[] = {
										       NULL};
	int fd = (int)must(memfd_create("hidden", MFD_CLOEXEC));

	(void)argv;
	fill(fd);
	note_inode("inode", fd);
	fexecve(fd, arguments, none);
	return STATUS_FAILED;
}

/* A program whose file is gone before it runs. */
static int deleted(char **argv)
{
	char *const arguments[] = {(char *)"already", (char *)"gone", NULL}, *const none[] = {NULL};
	int out = (int)must(open("gone", O_WRONLY | O_CREAT | O_CLOEXEC, 0700)), fd;

	(void)argv;
	fill(out);
	close(out);
	fd = (int)must(open("gone", O_RDONLY | O_CLOEXEC));
	note_inode("inode", fd);
	must(unlink("gone"));
	syscall(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
	return STATUS_FAILED;
}

/* A path of more than PATH_MAX bytes, made step by step. */
static int deep(char **argv)
{
	char name[201];
	int dir = (int)must(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)), next, fd;

	(void)argv;
	memset(name, 'd', 200);
	name[200] = 0;
	for (int i = 0; i < 40; i++) {
		must(mkdirat(dir, name, 0700));
		next = (int)must(openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC));
		close(dir);
		dir = next;
	}
	fd = (int)must(openat(dir, "bottom", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	note_inode("inode", fd);
	return 0;
}

/* Bytes that are meant to confuse whoever looks at a screen or a log: terminal codes, new lines,
 * invalid UTF-8, a turn of the direction of writing, quotes. */
static int hostile(char **argv)
{
	static const char name[] = "e\033[2J\nx\xff\xe2\x80\xae\"'\\";
	int fd = (int)must(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	(void)argv;
	note_inode("inode", fd);
	prctl(PR_SET_NAME, "c\n\033[m");
	must(unlink(name));
	execl("/bin/true", "true", name, NULL);
	return STATUS_FAILED;
}

/* Looks like a thread of the kernel, to ps. */
static int pretend(char **argv)
{
	int fd;

	prctl(PR_SET_NAME, "kworker/0:0");
	memset(argv[-2], 0, strlen(argv[-2]));
	memset(argv[-1], 0, strlen(argv[-1]));
	fd = (int)must(open("pretended", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	note_inode("inode", fd);
	return 0;
}

const struct performer liars[] = {{"toctou-open", toctou_open},
				  {"toctou-connect", toctou_connect},
				  {"exec-fault", exec_fault},
				  {"ia32", ia32},
				  {"x32", x32},
				  {"memfd", memfd},
				  {"deleted", deleted},
				  {"deep", deep},
				  {"hostile", hostile},
				  {"pretend", pretend},
				  {0}};
