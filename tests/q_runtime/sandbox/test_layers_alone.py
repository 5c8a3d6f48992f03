"""Each layer of isolation holds by itself, because on some machine one of the others will be missing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from q_runtime.sandbox import linux, seccomp

pytestmark = pytest.mark.skipif(not linux.is_available(), reason="needs Linux")

REPOSITORY = Path(__file__).resolve().parents[3]
REFUSED = "PermissionError"


def run(code: str, folder: Path, prefix: tuple[str, ...] = ()) -> list[str]:
    """Run code in a process of its own and return the lines that it printed."""
    attempt = """
import os, socket, sys
from q_runtime.sandbox import landlock, linux, seccomp
def attempt(action):
    try:
        action()
        print("done")
    except OSError as error:
        print(type(error).__name__)
linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
"""
    done = subprocess.run(
        [
            *prefix,
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n{attempt}{code}",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    return done.stdout.split()


def test_landlock_alone_confines_files(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    code = """
try:
    landlock.Rules(["/usr/lib"]).restrict("inside")
except OSError:
    print("none")
    sys.exit()
attempt(lambda: open("outside.txt").read())
attempt(lambda: open("outside.txt", "w"))
attempt(lambda: os.remove("outside.txt"))
attempt(lambda: open("inside/note", "w").write("x"))
attempt(lambda: os.symlink("/", "inside/link"))
attempt(lambda: os.listdir("/usr/lib"))
attempt(lambda: open("/usr/lib/note", "w"))
"""
    printed = run(code, tmp_path)
    if printed == ["none"]:
        pytest.skip("this kernel has no Landlock")

    assert printed == [REFUSED] * 3 + ["done", REFUSED, "done", REFUSED]


def test_seccomp_alone_refuses_processes_sockets_and_changes_of_files(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("here")
    code = """
seccomp.Filter(allow_file_changes=False).install()
attempt(lambda: open("there.txt").read())
attempt(lambda: open("there.txt", "w"))
attempt(lambda: open("there.txt", "a"))
attempt(lambda: open("new.txt", "x"))
attempt(lambda: os.remove("there.txt"))
attempt(lambda: os.rename("there.txt", "gone.txt"))
attempt(lambda: os.mkdir("folder"))
attempt(lambda: os.truncate("there.txt", 0))
attempt(lambda: os.chmod("there.txt", 0o777))
attempt(lambda: os.utime("there.txt"))
attempt(os.fork)
attempt(lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt(lambda: os.execv("/bin/true", ["true"]))
attempt(socket.socket)
attempt(lambda: os.kill(os.getppid(), 0))
attempt(lambda: os.kill(os.getpid(), 0))
"""
    assert run(code, tmp_path) == ["done"] + [REFUSED] * 14 + ["done"]
    assert (tmp_path / "there.txt").read_text() == "here"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("allow_file_changes", [True, False])
def test_a_filter_jumps_only_within_itself_and_ends_in_a_verdict(
    machine: str, allow_file_changes: bool
) -> None:
    program = seccomp.build_filter(
        machine, 7, allow_file_changes=allow_file_changes, allow_limit_changes=allow_file_changes
    )
    for index, (code, if_true, if_false, _) in enumerate(program):
        if code != seccomp.RETURN:
            assert index + 1 + max(if_true, if_false) < len(program)

    assert program[-1] == (seccomp.RETURN, 0, 0, seccomp.ALLOW)


def test_the_sandbox_works_where_the_kernel_grants_no_namespaces(tmp_path: Path) -> None:
    """In a namespace that allows no further ones, as in a container."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare command")
    limit = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    prefix = ("unshare", "-Ur", "sh", "-c", limit, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no user namespace can be made to try this in")
    code = """
from q_runtime.sandbox import PythonJob, PythonPool
BODIES = (
    "import socket; return repr(socket.socket())",
    "import os; return os.fork()",
    "import os; return os.kill(os.getppid(), 9)",
    "return open('/etc/passwd').read()",
    "return open('/tmp/q_sandbox_escape', 'w').write('x')",
    "return 6 * 7",
)
with PythonPool(1) as pool:
    layers = {layer.name: layer.is_active for layer in pool.active_layers()}
    print(layers["namespaces"])
    jobs = [PythonJob(str(n), f"def f(): {body}", "f", ((),)) for n, body in enumerate(BODIES)]
    for result in sorted(pool.run(jobs), key=lambda result: result.key):
        (execution,) = result.calls
        print(execution.value if execution.status == "ok" else execution.error.partition(":")[0])
"""
    if not (REPOSITORY / "q_runtime").stat().st_mode & 0o001:
        pytest.skip("the repository is not readable to others")

    assert run(code, tmp_path, prefix) == ["False", *[REFUSED] * 5, "42"]
