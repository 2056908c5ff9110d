/* SPDX-License-Identifier: MIT */
/* Which system calls there are: their numbers on riscv64, in Linux's generic list. */
#include "process_internal.h"

#define CALL(number, text, function) [number] = { text, function }
#define REFUSE(number, text)	     CALL(number, text, process_refuse_permission)
#define READ_ONLY(number, text)	     CALL(number, text, process_refuse_read_only)

static const struct process_entry table[] = {
	CALL(17, "getcwd", process_getcwd),
	CALL(23, "dup", process_dup),
	CALL(24, "dup3", process_dup3),
	CALL(25, "fcntl", process_fcntl),
	CALL(29, "ioctl", process_ioctl),
	READ_ONLY(33, "mknodat"),
	READ_ONLY(34, "mkdirat"),
	READ_ONLY(35, "unlinkat"),
	READ_ONLY(36, "symlinkat"),
	READ_ONLY(37, "linkat"),
	READ_ONLY(38, "renameat"),
	REFUSE(39, "umount2"),
	REFUSE(40, "mount"),
	READ_ONLY(45, "truncate"),
	READ_ONLY(46, "ftruncate"),
	READ_ONLY(47, "fallocate"),
	CALL(48, "faccessat", process_faccessat),
	CALL(49, "chdir", process_chdir),
	CALL(50, "fchdir", process_fchdir),
	REFUSE(51, "chroot"),
	READ_ONLY(52, "fchmod"),
	READ_ONLY(53, "fchmodat"),
	READ_ONLY(54, "fchownat"),
	READ_ONLY(55, "fchown"),
	CALL(56, "openat", process_openat),
	CALL(57, "close", process_close),
	CALL(61, "getdents64", process_getdents64),
	CALL(62, "lseek", process_lseek),
	CALL(63, "read", process_read),
	CALL(64, "write", process_write),
	CALL(65, "readv", process_readv),
	CALL(66, "writev", process_writev),
	CALL(67, "pread64", process_pread64),
	CALL(73, "ppoll", process_ppoll),
	CALL(78, "readlinkat", process_readlinkat),
	CALL(79, "newfstatat", process_newfstatat),
	CALL(80, "fstat", process_fstat),
	READ_ONLY(88, "utimensat"),
	CALL(93, "exit", process_exit),
	CALL(94, "exit_group", process_exit),
	CALL(96, "set_tid_address", process_getpid),
	CALL(98, "futex", process_futex),
	CALL(99, "set_robust_list", process_zero),
	CALL(101, "nanosleep", process_nanosleep),
	CALL(113, "clock_gettime", process_clock_gettime),
	CALL(114, "clock_getres", process_clock_getres),
	CALL(115, "clock_nanosleep", process_clock_nanosleep),
	CALL(123, "sched_getaffinity", process_affinity),
	CALL(124, "sched_yield", process_zero),
	CALL(129, "kill", process_kill),
	CALL(130, "tkill", process_kill),
	CALL(131, "tgkill", process_tgkill),
	CALL(132, "sigaltstack", process_sigaltstack),
	CALL(134, "rt_sigaction", process_sigaction),
	CALL(135, "rt_sigprocmask", process_sigprocmask),
	REFUSE(142, "reboot"),
	REFUSE(144, "setgid"),
	REFUSE(146, "setuid"),
	CALL(153, "times", process_times),
	CALL(155, "getpgid", process_getpid),
	CALL(156, "getsid", process_getpid),
	CALL(160, "uname", process_uname),
	CALL(163, "getrlimit", process_getrlimit),
	REFUSE(164, "setrlimit"),
	CALL(165, "getrusage", process_getrusage),
	CALL(166, "umask", process_umask),
	CALL(167, "prctl", process_prctl),
	CALL(169, "gettimeofday", process_gettimeofday),
	CALL(172, "getpid", process_getpid),
	CALL(173, "getppid", process_zero),
	CALL(174, "getuid", process_zero),
	CALL(175, "geteuid", process_zero),
	CALL(176, "getgid", process_zero),
	CALL(177, "getegid", process_zero),
	CALL(178, "gettid", process_getpid),
	CALL(179, "sysinfo", process_sysinfo),
	REFUSE(198, "socket"),
	REFUSE(199, "socketpair"),
	CALL(214, "brk", process_brk),
	CALL(215, "munmap", process_munmap),
	CALL(221, "execve", process_execve),
	CALL(222, "mmap", process_mmap),
	CALL(226, "mprotect", process_mprotect),
	CALL(233, "madvise", process_madvise),
	CALL(261, "prlimit64", process_prlimit64),
	READ_ONLY(276, "renameat2"),
	CALL(278, "getrandom", process_getrandom),
	CALL(291, "statx", process_statx),
	CALL(439, "faccessat2", process_faccessat),
};

const struct process_entry *process_find_call(uint64_t number)
{
	if (number >= sizeof(table) / sizeof(table[0]) || !table[number].call)
		return NULL;
	return &table[number];
}

const char *hatch_process_call_name(uint64_t number)
{
	const struct process_entry *entry = process_find_call(number);

	return entry ? entry->name : NULL;
}
