"""Prompts show the task and never its tests or Solutions."""

from __future__ import annotations

import pytest

from pipeline.prompts.render import render, render_completion
from pipeline.records import Param, Problem, TestCase


@pytest.fixture
def problem() -> Problem:
    return Problem(
        slug="double",
        title="Double",
        statement="Double every number.",
        entry_point="double",
        params=(Param(name="nums", type="list[int]"),),
        returns="list[int]",
        reference="def double(nums):\n    return [2 * n for n in nums]\n",
        tests=(TestCase(index=0, visibility="public", arguments=([987654],), expected=[1975308]),),
        problem_set="test",
        split="train",
        group="double",
    )


@pytest.mark.parametrize("prompt_format", ["demo", "plain"])
def test_the_tests_are_not_in_the_prompt(problem: Problem, prompt_format: str) -> None:
    prompt = render(problem, prompt_format)

    assert "Double every number." in prompt.text
    assert "2 * n" in prompt.text
    assert "987654" not in prompt.text
    assert "1975308" not in prompt.text


def test_the_chat_template_wraps_the_instruction(problem: Problem) -> None:
    prompt = render(
        problem, "chat", lambda messages: f"<user>{messages[0]['content']}</user><assistant>"
    )

    assert prompt.text.startswith("<user>")
    assert "Name the q function `double`" in prompt.text


def test_chat_without_a_template_is_refused(problem: Problem) -> None:
    with pytest.raises(ValueError, match="chat template"):
        render(problem, "chat")


def test_equal_texts_are_one_prompt(problem: Problem) -> None:
    assert render(problem, "demo").id == render(problem, "demo").id
    assert render(problem, "demo").id != render(problem, "plain").id


def test_a_completion_is_fenced_for_models_that_talk() -> None:
    assert render_completion("{x}\n", "demo") == "{x}"
    assert render_completion("{x}", "chat") == "```q\n{x}\n```"
