/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0 */
/* What a system call is to the exit tap (tier 2); which number is what: userspace/attach/calls.c.
 */
#pragma once

/* What a system call is to the exit tap (tier 2). */
enum tap {
	TAP_NONE,
	TAP_OPEN,	/* path, flags */
	TAP_OPENAT,	/* dfd, path, flags */
	TAP_OPENAT2,	/* dfd, path, how */
	TAP_OPENHANDLE, /* dfd, handle, flags */
	TAP_CREAT,	/* path */
	TAP_UNLINK,	/* path */
	TAP_UNLINKAT,	/* dfd, path */
	TAP_RENAME,	/* old, new */
	TAP_RENAMEAT,	/* dfd, old, dfd, new */
	TAP_RENAMEAT2,	/* dfd, old, dfd, new, flags */
	TAP_LINK,	/* old, new */
	TAP_LINKAT,	/* dfd, old, dfd, new */
	TAP_SYMLINK,	/* text, new */
	TAP_SYMLINKAT,	/* text, dfd, new */
	TAP_CHMOD,	/* path, mode */
	TAP_FCHMOD,	/* fd, mode */
	TAP_FCHMODAT,	/* dfd, path, mode */
	TAP_CHOWN,	/* path, uid, gid */
	TAP_FCHOWN,	/* fd, uid, gid */
	TAP_FCHOWNAT,	/* dfd, path, uid, gid */
	TAP_CONNECT,	/* fd, address */
	TAP_ACCEPT,	/* -> fd */
	TAP_LISTEN,	/* fd, backlog */
	TAP_BIND,	/* fd, address */
	TAP_CREDS,	/* id, ...: setuid family */
	TAP_GROUPS,	/* setgroups, capset */
	TAP_SOCKETCALL, /* which, its arguments; i386 only */
	TAP_SOCKET,	/* family, type, protocol -> fd */
	TAP_SETSOCKOPT, /* fd, level, option */
	TAP_SENDTO,	/* fd, bytes, length, flags, address -> length */
	TAP_SENDMSG,	/* fd, message, flags -> length */
	TAP_SENDMMSG,	/* fd, messages, count, flags -> count */
	TAP_RECVFROM,
	TAP_RECVMSG,
	TAP_RECVMMSG,
	TAP_EXECVE,	    /* path */
	TAP_EXECVEAT,	    /* dfd, path */
	TAP_PTRACE,	    /* request, pid */
	TAP_VM_ACCESS,	    /* pid: process_vm_readv, process_vm_writev */
	TAP_PIDFD_GETFD,    /* pidfd */
	TAP_MOUNT,	    /* source, target, type, flags */
	TAP_MOVE_MOUNT,	    /* dfd, from, dfd, to, flags */
	TAP_MOUNT_SETATTR,  /* dfd, path, flags, attributes, size */
	TAP_OPEN_TREE,	    /* dfd, path, flags -> fd */
	TAP_OPEN_TREE_ATTR, /* dfd, path, flags, attributes, size -> fd */
	TAP_FSMOUNT,	    /* fd, flags, attributes -> fd */
	TAP_FSCONFIG,	    /* fd, command */
	TAP_UMOUNT,	    /* target, flags */
	TAP_PIVOT_ROOT,	    /* new root, put old */
	TAP_CHROOT,	    /* path */
	TAP_UNSHARE,	    /* flags */
	TAP_SETNS,	    /* fd, flags */
	TAP_SETXATTR,	    /* path, name, value, size */
	TAP_FSETXATTR,	    /* fd, name, value, size */
	TAP_SETXATTRAT,	    /* dfd, path, flags, name, struct xattr_args */
	TAP_REMOVEXATTR,    /* path, name */
	TAP_FREMOVEXATTR,
	TAP_REMOVEXATTRAT, /* dfd, path, flags, name */
	TAP_IOCTL,	   /* fd, request, argument */
	TAP_FILE_SETATTR,  /* dfd, path, struct file_attr */
	TAP_TRUNCATE,	   /* path, length */
	TAP_FTRUNCATE,	   /* fd, length */
	TAP_TRUNCATE64,	   /* path, low, high; 32-bit only */
	TAP_FTRUNCATE64,
	TAP_UTIME,	      /* path, seconds */
	TAP_UTIMES,	      /* path, microseconds */
	TAP_FUTIMESAT,	      /* dfd, path, microseconds */
	TAP_UTIMENSAT,	      /* dfd, path, nanoseconds */
	TAP_UTIMENSAT_TIME64, /* the same with 64-bit times; 32-bit only */
	TAP_MKDIR,	      /* path, mode */
	TAP_MKDIRAT,	      /* dfd, path, mode */
	TAP_MKNOD,	      /* path, mode, device */
	TAP_MKNODAT,	      /* dfd, path, mode, device */
	TAP_MMAP,	      /* address, length, protection, flags, fd */
	TAP_MMAP_OLD,	      /* the same in memory; 32-bit only */
	TAP_WRITE,	      /* fd, bytes, length: to loginuid, settings */
	/* processes, from here to TAP_PROCESS_END */
	TAP_KILL,	  /* pid, signal */
	TAP_TGKILL,	  /* tgid, tid, signal */
	TAP_PIDFD_SIGNAL, /* pidfd, signal */
	TAP_PRCTL,	  /* option, ... */
	TAP_SECCOMP,	  /* operation, flags */
	TAP_MPROTECT,	  /* address, length, protection */
	TAP_USERFAULTFD,  /* flags */
	TAP_MADVISE,	  /* pidfd */
	TAP_PROCESS_END,
	/* the kernel itself */
	TAP_BPF,	   /* command, attributes */
	TAP_PERF_EVENT,	   /* attributes, pid, cpu */
	TAP_INIT_MODULE,   /* image, length, arguments */
	TAP_FINIT_MODULE,  /* fd, arguments */
	TAP_DELETE_MODULE, /* name */
	TAP_ADD_KEY,	   /* type, description, payload, length, keyring -> key */
	TAP_REQUEST_KEY,   /* type, description, callout, keyring -> key */
	TAP_KEYCTL,	   /* operation, key */
	TAP_KEXEC_LOAD,	   /* entry, segments, segment array, flags */
	TAP_KEXEC_FILE,	   /* kernel fd, initrd fd, length, command line, flags */
	TAP_SETHOSTNAME,   /* name, length */
	TAP_SETDOMAINNAME, /* name, length */
	TAP_SWAPON,	   /* path, flags */
	TAP_SWAPOFF,	   /* path */
	TAP_REBOOT,	   /* magic, magic, command */
	TAP_SYSLOG,	   /* type */
	TAP_ACCT,	   /* path */
	TAP_IOPL,	   /* level */
	TAP_IOPERM,	   /* first, number, on */
	TAP_FANOTIFY,	   /* flags */
	TAP_SETTIMEOFDAY,  /* timeval; those with 32: of two 32-bit numbers */
	TAP_SETTIMEOFDAY32,
	TAP_STIME,	   /* address of one 32-bit number */
	TAP_CLOCK_SETTIME, /* clock, timespec */
	TAP_CLOCK_SETTIME32,
	TAP_ADJTIMEX, /* timex */
	TAP_ADJTIMEX32,
	TAP_CLOCK_ADJTIME, /* clock, timex */
	TAP_CLOCK_ADJTIME32,
};

#define TAP_SYSCALLS 1024 /* system call numbers that the tap's tables hold */
