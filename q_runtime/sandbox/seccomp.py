"""Seccomp: system calls that a worker may no longer make, enforced by the kernel and needing no rights.

The filter refuses what neither an interpreter of q nor a Python reference needs: new processes and programs, sockets,
signals to others, tracing, namespaces and mounts, memory shared between processes, kernel administration. A refused
call fails with EPERM (a call younger than the list with ENOSYS) and the worker goes on, so that hostile code meets an
ordinary error. Threads are left to the resource limit. Without Landlock, changes of the file system are refused too.

What it deliberately does not do: look at memory that arguments point to (a filter cannot), so
paths are left to Landlock.
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import struct
from collections.abc import Mapping

from q_runtime.sandbox import linux

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
Numbers = tuple[int, int | None]
Calls = Mapping[str, Numbers]
"""Name: number on x86_64, number on aarch64; None where the processor has no such call."""
LAST_KNOWN = 462
"""System calls numbered above this appeared after the list was written (Linux 6.10)."""

PROCESSES: Calls = {
    "fork": (57, None),
    "vfork": (58, None),
    "clone3": (435, 435),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "prctl": (157, 167),
    "timer_create": (222, 107),
    "personality": (135, 92),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
}
NETWORK: Calls = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "recvmsg": (47, 212),
    "recvmmsg": (299, 243),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
SHARED_MEMORY: Calls = {
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "userfaultfd": (323, 282),
}
ADMINISTRATION: Calls = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setgroups": (116, 159),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
    "seccomp": (317, 277),
    "modify_ldt": (154, None),
    "sync": (162, 81),
    "syncfs": (306, 267),
}
# Landlock does not cover these: they tell what happens in directories that cannot be read.
WATCHING: Calls = {
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
}
FILE_CHANGES: Calls = {
    "openat2": (437, 437),
    "creat": (85, None),
    "truncate": (76, 45),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "link": (86, None),
    "linkat": (265, 37),
    "symlink": (88, None),
    "symlinkat": (266, 36),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "rmdir": (84, None),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
# A process that lowers its own limit of processor time would be killed as if from outside.
LIMIT_CHANGES: Calls = {"setrlimit": (160, 164)}
# Landlock does not cover these, and the owner of a file needs no right on it.
FILE_ATTRIBUTES: Calls = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "utimensat": (280, 88),
    "futimesat": (261, None),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}

CLONE, OPEN, OPENAT = (56, 220), (2, None), (257, 56)
KILL, TGKILL, PRLIMIT64, FCNTL, IOCTL = (62, 129), (234, 131), (302, 261), (72, 25), (16, 29)
CLONE_THREAD = 0x00010000
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
FIOSETOWN, SIOCSPGRP, TIOCSTI = 0x8901, 0x8902, 0x5412

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER_OFFSET, ARCHITECTURE_OFFSET, ARGUMENTS_OFFSET = 0, 4, 16
CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
OUTSIDE_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
"""A process may not send itself these: one that ends by them was ended from outside, and is not to blame."""

Instruction = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant: struct sock_filter."""
STEP, PID = struct.Struct("=HBBI"), struct.Struct("=I")
UNKNOWN_PID = 0x7FFFFFFF
"""Stands for the process that will install a filter; no process has such a number."""


class Filter:
    """A filter that is ready to be installed: building it takes longer than a process may take to start."""

    def __init__(self, *, allow_file_changes: bool, allow_limit_changes: bool = False) -> None:
        program = build_filter(
            linux.machine(),
            UNKNOWN_PID,
            allow_file_changes=allow_file_changes,
            allow_limit_changes=allow_limit_changes,
        )
        self.n_instructions = len(program)
        self._code = bytearray().join(STEP.pack(*step) for step in program)
        self._pid_offsets = [
            STEP.size * index + STEP.size - PID.size
            for index, (code, _, _, constant) in enumerate(program)
            if code == JUMP_EQUAL and constant == UNKNOWN_PID
        ]

    def install(self) -> None:
        """Restrict this process for good; signals are allowed to itself alone.

        Needs no-new-privileges to be set. Raises: OSError when the kernel has no seccomp filters.
        """
        for offset in self._pid_offsets:
            PID.pack_into(self._code, offset, os.getpid())
        code = (ctypes.c_char * len(self._code)).from_buffer(self._code)
        sock_fprog = struct.pack("HxxxxxxP", self.n_instructions, ctypes.addressof(code))
        pointer = ctypes.cast(ctypes.create_string_buffer(sock_fprog), ctypes.c_void_p)
        linux.prctl(linux.PR_SET_SECCOMP, linux.SECCOMP_MODE_FILTER, pointer)


def build_filter(
    machine: str, own_pid: int, *, allow_file_changes: bool, allow_limit_changes: bool
) -> list[Instruction]:
    """Return the filter program for a processor; signals are allowed to `own_pid` alone."""
    column = ("x86_64", "aarch64").index(machine)
    refused: list[Calls] = [
        PROCESSES,
        NETWORK,
        SHARED_MEMORY,
        ADMINISTRATION,
        WATCHING,
        FILE_ATTRIBUTES,
    ]
    conditions = _conditions(own_pid)
    if not allow_file_changes:
        refused.append(FILE_CHANGES)
        conditions += _OPENS_TO_CHANGE
    if not allow_limit_changes:
        refused.append(LIMIT_CHANGES)
        conditions += _LIMIT_CHANGES
    steps: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE_OFFSET),
        (JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, ERRNO | errno.EPERM),
        (LOAD, 0, 0, NUMBER_OFFSET),
        (JUMP_AT_LEAST, 0, 1, LAST_KNOWN + 1),  # also every x32 call: bit 30 of the number
        (RETURN, 0, 0, ERRNO | errno.ENOSYS),
    ]
    for table in refused:
        for name, numbers in table.items():
            if (number := numbers[column]) is not None:
                # The C library falls back to older calls when these two are unknown, not when they are refused.
                code = errno.ENOSYS if name in ("clone3", "openat2") else errno.EPERM
                steps += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | code)]
    for numbers, offset, test in conditions:
        if (number := numbers[column]) is not None:
            refuse = (RETURN, 0, 0, ERRNO | errno.EPERM)
            block = [(LOAD, 0, 0, offset), *test, refuse, (LOAD, 0, 0, NUMBER_OFFSET)]
            steps += [(JUMP_EQUAL, 0, len(block), number), *block]
    return [*steps, (RETURN, 0, 0, ALLOW)]


Condition = tuple[Numbers, int, list[Instruction]]
"""A call that is refused for some arguments: its numbers, where the argument lies, and a test of it.

A test falls through to the refusal that follows it, or jumps over it.
"""


def _argument(index: int, *, high: bool = False) -> int:
    """Where an argument lies: half of it, for both processors are little-endian."""
    return ARGUMENTS_OFFSET + 8 * index + (4 if high else 0)


def _is(value: int) -> list[Instruction]:
    return [(JUMP_EQUAL, 0, 1, value)]


def _is_not(value: int) -> list[Instruction]:
    return [(JUMP_EQUAL, 1, 0, value)]


def _conditions(own_pid: int) -> list[Condition]:
    """Calls that no worker may make in this way."""
    own_or_zero: list[Instruction] = [(JUMP_EQUAL, 2, 0, 0), (JUMP_EQUAL, 1, 0, own_pid)]
    threads_only: list[Instruction] = [(JUMP_ANY_BIT, 1, 0, CLONE_THREAD)]
    return [
        (CLONE, _argument(0), threads_only),
        (KILL, _argument(0), _is_not(own_pid)),
        (TGKILL, _argument(0), _is_not(own_pid)),
        *((KILL, _argument(1), _is(number)) for number in OUTSIDE_SIGNALS),
        *((TGKILL, _argument(2), _is(number)) for number in OUTSIDE_SIGNALS),
        (PRLIMIT64, _argument(0), own_or_zero),
        *((FCNTL, _argument(1), _is(command)) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)),
        *((IOCTL, _argument(1), _is(command)) for command in (FIOSETOWN, SIOCSPGRP, TIOCSTI)),
    ]


_LIMIT_CHANGES: list[Condition] = [
    (PRLIMIT64, _argument(2), _is_not(0)),
    (PRLIMIT64, _argument(2, high=True), _is_not(0)),
]
_OPENS_TO_CHANGE: list[Condition] = [
    (OPEN, _argument(1), [(JUMP_ANY_BIT, 0, 1, CHANGING)]),
    (OPENAT, _argument(2), [(JUMP_ANY_BIT, 0, 1, CHANGING)]),
]
