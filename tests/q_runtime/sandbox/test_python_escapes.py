"""Python that tries to get out: each source must be refused by the kernel, and the pool must serve on.

Every attempt returns a value if it succeeds, so a test that passes has seen the attempt fail.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from q_runtime.sandbox import PythonPool
from q_runtime.sandbox.library import DESCRIPTOR
from tests.q_runtime.sandbox.python_calls import call, serves, value_of

NETWORK = {
    "tcp": "import socket; s = socket.socket(); s.connect(('127.0.0.1', 1)); return 'out'",
    "udp": "import socket; return socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    "unix": "import socket; return repr(socket.socket(socket.AF_UNIX))",
    "pair": "import socket; return repr(socket.socketpair())",
    "listen": "import socket; return repr(socket.create_server(('', 0)))",
    "dns": "import socket; return repr(socket.getaddrinfo('localhost', 80))",
    "http": "import urllib.request; return urllib.request.urlopen('http://127.0.0.1').status",
}
FILES = {
    "read passwd": "return open('/etc/passwd').read()",
    "read own memory": "return open('/proc/self/mem', 'rb').read(1).hex()",
    "read environment": "return open('/proc/self/environ').read()",
    "list root": "import os; return os.listdir('/')",
    "list tests": "import os; return os.listdir(HERE)",
    "write tmp": "return open('/tmp/q_sandbox_escape', 'w').write('x')",
    "write here": "import os; return open(os.path.join(HERE, 'escape'), 'w').write('x')",
    "write above": "return open('../escape', 'w').write('x')",
    "make folder": "import os; os.mkdir('/tmp/q_sandbox_escape'); return 'made'",
    "delete": "import os; os.remove(os.path.join(HERE, 'test_python_escapes.py')); return 'gone'",
    "rename": "import os; os.rename(HERE, HERE + '_escaped'); return 'moved'",
    "chmod": "import os; os.chmod(HERE, 0o777); return 'changed'",
    "link in": "import os; os.symlink('/etc/passwd', 'link'); return open('link').read()",
    "shared memory": "return open('/dev/shm/q_sandbox_escape', 'w').write('x')",
    "watch a folder": "import ctypes; return 1 // (ctypes.CDLL(None).inotify_init() >= 0)",
    "anonymous file": "import os; return os.memfd_create('x')",
    "parent handles": "import os; return os.readlink('/proc/1/fd/0')",
}
PROCESSES = {
    "fork": "import os; return os.fork()",
    "exec": "import os; os.execv('/bin/sh', ['sh', '-c', 'exit 0'])",
    "spawn": "import subprocess; return subprocess.run(['/bin/true']).returncode",
    "system": "import os; return 'ran' if os.system('true') == 0 else 1 // 0",
    "multiprocessing": "import multiprocessing as m; p = m.Process(target=int); p.start(); return 'ran'",
    "thread": "import threading; threading.Thread(target=int).start(); return 'ran'",
    "signal init": "import os; os.kill(1, 9); return 'sent'",
    "signal all": "import os; os.kill(-1, 9); return 'sent'",
    "signal parent": "import os; os.kill(os.getppid(), 15); return 'sent'",
    "probe parent": "import os; os.kill(os.getppid(), 0); return 'there'",
    "priority": "import os; os.setpriority(os.PRIO_USER, 0, 19); return 'slowed'",
    "namespaces": "import ctypes; return 1 // (ctypes.CDLL(None).unshare(0x10000000) == 0)",
    "trace": "import ctypes; return 1 // (ctypes.CDLL(None).ptrace(16, 1, 0, 0) == 0)",
    "limits of others": "import resource; resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)); return 1",
    "raise limits": "import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1)); return 'raised'",
    "become root": "import os; os.setuid(0); return 'root'",
    "end of parent": "import ctypes; return 1 // (ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0)",
}
ATTEMPTS = {**NETWORK, **FILES, **PROCESSES}


@pytest.mark.parametrize("body", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_the_attempt_fails(python_pool: PythonPool, body: str) -> None:
    here = str(Path(__file__).parent)
    execution = call(python_pool, f"HERE = {here!r}\ndef f():\n    {body}")

    assert execution.status == "python_error", execution


def test_the_pool_serves_on_and_nothing_was_left(python_pool: PythonPool) -> None:
    assert serves(python_pool)
    assert not Path("/tmp/q_sandbox_escape").exists()
    assert not (Path(__file__).parent / "escape").exists()


def test_the_environment_is_empty(python_pool: PythonPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSTUDIO_SECRET", "hunter2")
    source = """
import ctypes, os
def f(): return [dict(os.environ), ctypes.CDLL(None).getenv(b"PATH")]
"""
    with PythonPool(1) as pool:
        assert value_of(call(pool, source)) == [{}, 0]


def test_only_the_null_device_the_channel_and_the_library_are_open(
    python_pool: PythonPool,
) -> None:
    source = """
import os
def f():
    found = {}
    for descriptor in range(1024):
        try:
            status = os.fstat(descriptor)
            found[descriptor] = [status.st_rdev, status.st_ino]
        except OSError:
            pass
    return found
"""
    null = os.stat(os.devnull)
    found = value_of(call(python_pool, source))
    channel = found.pop(3)
    library = found.pop(DESCRIPTOR, None)

    assert found == {standard: [null.st_rdev, null.st_ino] for standard in (0, 1, 2)}
    assert channel[0] == 0
    assert library is None or library[1] == Path(os.__file__).parent.stat().st_ino


def test_the_scratch_directory_is_empty_small_and_writable(python_pool: PythonPool) -> None:
    source = """
import os
def f():
    before = os.listdir(".")
    with open("note.txt", "w") as stream:
        stream.write("kept")
    try:
        with open("big", "wb") as stream:
            stream.write(bytes(8 << 20))
        size = "unlimited"
    except OSError as error:
        size = "limited"
    return [before, open("note.txt").read(), size]
"""
    for _ in range(3):
        assert value_of(call(python_pool, source)) == [[], "kept", "limited"]


def test_the_worker_is_not_root(python_pool: PythonPool) -> None:
    assert value_of(call(python_pool, "import os\ndef f(): return os.getuid()")) != 0


@pytest.mark.parametrize(
    "statement",
    [
        "import sched",
        "import asyncio",
        "import xml.etree.ElementTree",
        "import hashlib; hashlib.md5(b'')",
        "import sqlite3; sqlite3.connect(':memory:')",
        "import zoneinfo; zoneinfo.ZoneInfo('Europe/Paris')",
        "b'x'.decode('cp1252')",
        "from email.mime.text import MIMEText",
    ],
)
def test_what_is_not_preloaded_comes_from_the_library(
    patient_python_pool: PythonPool, statement: str
) -> None:
    assert call(patient_python_pool, f"{statement}\ndef f(): return 1").value == 1


@pytest.mark.parametrize(
    "name", ["pipeline", "q_runtime", "q_runtime.sandbox.pool", "numpy", "django"]
)
def test_nothing_of_the_project_or_of_its_packages_can_be_imported(
    python_pool: PythonPool, name: str
) -> None:
    execution = call(python_pool, f"import {name}")

    assert execution.error == f"ModuleNotFoundError: No module named {name.partition('.')[0]!r}"


def test_the_library_cannot_be_written_or_left(python_pool: PythonPool) -> None:
    source = """
import os
HERE = os.path.dirname(os.__file__)
def f():
    attempts = (
        lambda: os.open("../escape", os.O_RDONLY | os.O_DIRECTORY, dir_fd=30),
        lambda: os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=30),
        lambda: os.open("os.py", os.O_RDWR, dir_fd=30),
        lambda: os.open("escape", os.O_WRONLY | os.O_CREAT, dir_fd=30),
        lambda: os.mkdir("escape", dir_fd=30),
        lambda: os.listdir("/proc/self/fd/30/../.."),
        lambda: open(HERE + "/escape", "w"),
    )
    for attempt in attempts:
        try:
            return attempt() or "done"
        except OSError:
            pass
"""
    assert value_of(call(python_pool, source)) is None


def test_all_layers_are_reported(python_pool: PythonPool) -> None:
    layers = {layer.name: layer for layer in python_pool.active_layers()}

    assert set(layers) == {
        "unprivileged_user",
        "namespaces",
        "scratch_in_memory",
        "no_new_privileges",
        "no_handles_no_environment",
        "resource_limits",
        "landlock",
        "seccomp",
    }
    assert all(layer.detail for layer in layers.values())
    assert layers["resource_limits"].is_active
