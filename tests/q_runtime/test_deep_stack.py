"""Deep-stack threads: used again, independent of each other, and gone before a fork."""

from __future__ import annotations

import os
import threading

import pytest

from q_runtime import QError, Session, deep_stack


def names() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == deep_stack.NAME]


def test_one_thread_serves_one_call_after_another() -> None:
    deep_stack.end_idle()
    session = Session()

    assert [session.eval(f"{i}+1") for i in range(20)] == list(range(1, 21))
    assert len(names()) == 1


def test_an_error_leaves_the_thread_in_use() -> None:
    deep_stack.end_idle()
    session = Session()
    with pytest.raises(QError):
        session.eval("1+`a")

    assert session.eval("1+1") == 2
    assert len(names()) == 1


def test_calls_from_several_threads_do_not_wait_for_each_other() -> None:
    answers: list[int] = []
    callers = [
        threading.Thread(target=lambda: answers.append(Session().eval("sum til 1000")))
        for _ in range(8)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert answers == [499500] * 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_idle_thread_is_left_when_the_process_forks() -> None:
    Session().eval("1")
    assert names()
    child = os.fork()
    if child == 0:
        os._exit(Session().eval("7"))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
    assert names() == []
