"""Python that takes too much: time, memory, output, processes. Each is stopped, named, and followed by service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from q_runtime.limits import Limits
from q_runtime.sandbox import PythonPool
from tests.q_runtime.sandbox.python_calls import call, run_source, serves

TIME = {
    "loop": "while True: pass",
    "loop that traps everything": """
    while True:
        try:
            while True: pass
        except BaseException:
            pass""",
    "one long operation": "return 7 ** (10 ** 9) % 10",
    "sleep": "import time; time.sleep(60)",
    "regular expression": "import re; return bool(re.match('(a+)+$', 'a' * 60 + 'b'))",
    "ignored signals": """
    import signal
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGALRM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while True: pass""",
    "stopped process": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
}
MEMORY = {
    "bytes": "return len(b'x' * (4 << 30))",
    "list": "return len([0] * (1 << 31))",
    "growing list": """
    found = []
    while True: found.append('x' * 1_000_000 + str(len(found)))""",
    "string": "return len(('ab' * (1 << 28)) * 8)",
}
OUTPUT = {
    "printed": "print('x' * 100_000)",
    "printed for ever": """
    for _ in range(100_000): print('flood')""",
    "returned text": "return 'x' * 100_000",
    "returned list": "return list(range(100_000))",
    "error stream": "import sys; sys.stderr.write('x' * 100_000)",
}
ENDINGS = {
    "exit": "import sys; sys.exit(0)",
    "hard exit": "import os; os._exit(0)",
    "crash": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "recursion": "return f()",
    "endless recursion in C": """
    import sys
    sys.setrecursionlimit(10 ** 9)
    class Endless:
        def __getattr__(self, name): return getattr(self, name)
    return Endless().x""",
    "interrupt": "raise KeyboardInterrupt",
    "own signal": "import os; os.kill(os.getpid(), 11)",
    "odd exception": """
    class Odd(BaseException):
        def __str__(self): raise SystemExit
    raise Odd""",
    "closed channel": "import os; os.close(3); return 1",
}
FORGERIES = {
    "not JSON": "import os; os.write(3, (5).to_bytes(4, 'big') + b'hello'); os._exit(0)",
    "huge frame": "import os; os.write(3, b'\\xff' * 4); os._exit(0)",
    "not an answer": "import os; os.write(3, (12).to_bytes(4, 'big') + b'{\"call\": [1]}'[:12]); os._exit(0)",
    "list": "import os; os.write(3, (2).to_bytes(4, 'big') + b'[]'); os._exit(0)",
    "deep": "import os; os.write(3, (4000).to_bytes(4, 'big') + b'[' * 4000); os._exit(0)",
    "no exit": "import os\n    for _ in range(10 ** 6): os.write(3, (2).to_bytes(4, 'big') + b'{}')",
    "odd numbers": """
    import os
    message = b'{"call":{"status":"python_error","duration_s":NaN,"error":[]}}'
    os.write(3, len(message).to_bytes(4, "big") + message)
    os._exit(0)""",
}


@pytest.fixture(autouse=True)
def _serves_afterwards(python_pool: PythonPool) -> Iterator[None]:
    yield
    assert serves(python_pool)


@pytest.mark.parametrize("body", TIME.values(), ids=TIME.keys())
def test_too_much_time(python_pool: PythonPool, body: str) -> None:
    execution = call(python_pool, f"def f():\n    {body}")

    assert execution.status == "time_limit"
    assert execution.duration_s >= 1.0


def test_calls_before_an_overrun_count_and_those_after_are_not_run(python_pool: PythonPool) -> None:
    source = "def f(n):\n    while n == 2: pass\n    return n"
    result = run_source(python_pool, source, entry_point="f", calls=((0,), (1,), (2,), (3,)))

    assert [e.status for e in result.calls] == ["ok", "ok", "time_limit", "time_limit"]
    assert [e.value for e in result.calls] == [0, 1, None, None]
    assert [e.error for e in result.calls[2:]] == ["time", "not run"]
    assert [e.arguments for e in result.calls] == [(0,), (1,), (2,), (3,)]


def test_a_source_that_does_not_finish_loading(python_pool: PythonPool) -> None:
    result = run_source(python_pool, "while True: pass", entry_point="f", calls=((1,),))

    assert result.load.status == "time_limit"
    assert result.calls == ()


def test_a_job_of_many_slow_calls_ends_as_a_whole() -> None:
    source = "import time\ndef f(): time.sleep(0.3)"
    with PythonPool(1, Limits(time_s=1.0), job_time_s=1.0) as pool:
        result = run_source(pool, source, entry_point="f", calls=((),) * 20)

        assert {e.status for e in result.calls} == {"ok", "time_limit"}
        assert serves(pool)


@pytest.mark.parametrize("body", MEMORY.values(), ids=MEMORY.keys())
def test_too_much_memory(body: str) -> None:
    with PythonPool(1, Limits(time_s=30.0, memory_mb=256)) as pool:
        assert call(pool, f"def f():\n    {body}").status == "memory_limit"
        assert serves(pool)


@pytest.mark.parametrize("body", OUTPUT.values(), ids=OUTPUT.keys())
def test_too_much_output(python_pool: PythonPool, body: str) -> None:
    execution = call(python_pool, f"def f():\n    {body}")

    assert execution.status == "output_limit"
    assert len(execution.stdout) <= 4096


@pytest.mark.parametrize("body", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_process_that_ends_itself_is_the_reference_s_error(
    patient_python_pool: PythonPool, body: str
) -> None:
    execution = call(patient_python_pool, f"def f():\n    {body}")

    assert execution.status == "python_error"
    assert execution.error


def test_a_process_that_closes_its_channel_and_goes_on_is_the_reference_s_error(
    python_pool: PythonPool,
) -> None:
    execution = call(python_pool, "def f():\n    import os; os.close(3)\n    while True: pass")

    assert execution.status == "python_error"


@pytest.mark.parametrize("body", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_harms_nobody(python_pool: PythonPool, body: str) -> None:
    execution = call(python_pool, f"def f():\n    {body}")

    assert execution.status in ("python_error", "output_limit")


@pytest.mark.parametrize(
    "body",
    [
        "import os\n    while True:\n        try: os.fork()\n        except OSError: pass",
        """import threading
    while True:
        try: threading.Thread(target=f).start()
        except RuntimeError: pass""",
    ],
    ids=["processes", "threads"],
)
def test_a_fork_bomb_is_one_process_that_runs_out_of_time(
    python_pool: PythonPool, body: str
) -> None:
    assert call(python_pool, f"def f():\n    {body}").status == "time_limit"


@pytest.mark.parametrize("number", [1, 2, 9, 15])
def test_a_reference_cannot_end_itself_as_if_it_were_ended_from_outside(
    python_pool: PythonPool, number: int
) -> None:
    execution = call(python_pool, f"import os\ndef f(): os.kill(os.getpid(), {number})")

    assert (execution.status, execution.error) == (
        "python_error",
        "PermissionError: [Errno 1] Operation not permitted",
    )


def test_a_reference_cannot_say_that_the_sandbox_failed(python_pool: PythonPool) -> None:
    source = """
import os
def f():
    message = b'{"call":{"status":"infra_error"}}'
    os.write(3, len(message).to_bytes(4, "big") + message)
    os._exit(0)
"""
    assert call(python_pool, source).status == "python_error"


def test_many_files_fill_the_scratch_directory_and_nothing_else(python_pool: PythonPool) -> None:
    source = """
def f():
    try:
        for index in range(10 ** 6):
            with open(str(index), "wb") as stream:
                stream.write(bytes(1 << 19))
    except OSError as error:
        return error.strerror
"""
    execution = call(python_pool, source)

    assert execution.value == "No space left on device"
