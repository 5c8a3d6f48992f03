"""Python that tries to get out: each source must be refused by the kernel, and the pool must serve on.

Every attempt returns a value if it succeeds, so a test that passes has seen the attempt fail.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from q_runtime.sandbox import PythonPool
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


def test_only_the_null_device_and_the_channel_are_open(python_pool: PythonPool) -> None:
    source = """
import os
def f():
    found = []
    for descriptor in range(1024):
        try:
            found.append([descriptor, os.fstat(descriptor).st_rdev])
        except OSError:
            pass
    return found
"""
    null = os.stat(os.devnull).st_rdev

    assert value_of(call(python_pool, source)) == [[0, null], [1, null], [2, null], [3, 0]]


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


def test_the_library_can_be_read_but_not_the_project(python_pool: PythonPool) -> None:
    assert (
        value_of(call(python_pool, "import textwrap\ndef f(): return textwrap.dedent(' x')")) == "x"
    )
    assert call(python_pool, "import pipeline").error.startswith("ModuleNotFoundError")


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
