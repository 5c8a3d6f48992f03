"""The launch form: its fields are the settings, wrong ones are named, and one form starts one Run."""

from __future__ import annotations

import pytest
from django.test import Client

from pipeline.config import load_preset
from qstudio.runs.forms import blank_form, bound_form, settings_by_name
from qstudio.runs.models import Run
from tests.qstudio.world import World


def posted(preset: str = "smoke", **changes: str) -> dict[str, str]:
    """The form of a preset as a browser sends it, with changes (`__` for the dot)."""
    fields = {f.setting.name: f.value for g in blank_form(preset).groups for f in g.fields}
    changes = {name.replace("__", "."): value for name, value in changes.items()}
    return {**fields, **changes, "preset": preset, "request_id": "one"}


def test_every_setting_is_a_field_with_help_and_stands_in_one_group():
    names = [f.setting.name for g in blank_form("demo").groups for f in g.fields]

    assert sorted(names) == sorted(settings_by_name())
    assert len(names) == len(set(names))
    assert [s.name for s in settings_by_name().values() if not s.help] == []


@pytest.mark.parametrize("preset", ["demo", "smoke", "mbpp"])
def test_an_unchanged_form_is_the_preset(preset: str):
    form = bound_form(posted(preset))

    assert form.config == load_preset(preset)
    assert form.overrides == ()
    assert form.changed == []


def test_the_command_line_gives_the_same_settings():
    form = bound_form(
        posted(
            name="it's mine",
            sampling__k="5",
            problems__sets="demo, starter",
            problems__max_dev="",
            sft__learning_rate="2e-4",
        )
    )

    assert form.config == load_preset("smoke", list(form.overrides))
    assert len(form.changed) == 5
    assert '--set \'problems.sets=["demo", "starter"]\'' in form.command


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sampling.k", "0", "'0' does not work: it must be greater than or equal to 1; '2' works."),
        ("sampling.k", "many", "'many' does not work: it must be a valid integer"),
        ("seed", "", "This is needed: it must be a valid integer"),
        ("compute.device", "tpu", "'tpu' does not work: it must be 'auto', 'cpu' or 'cuda'"),
        ("evaluation.ks", "1, x", "'1, x' does not work: it must be a valid integer"),
    ],
)
def test_a_wrong_value_is_named_with_one_that_works(name: str, value: str, sentence: str):
    form = bound_form({**posted(), name: value})

    assert [f.setting.name for f in form.errors] == [name]
    assert form.errors[0].error.startswith(sentence)


def test_all_wrong_fields_are_shown_at_once_and_nothing_starts(reader: Client, world: World):
    response = reader.post(
        "/runs/new/", posted(sampling__k="0", sft__steps="-1") | {"action": "start"}
    )
    text = response.content.decode()

    assert response.status_code == 422
    assert text.count('aria-invalid="true"') == 2
    assert "2 settings cannot start like this" in text
    assert Run.objects.count() == 3


def test_starting_twice_with_one_form_gives_one_run(
    reader: Client, world: World, django_capture_on_commit_callbacks
):
    form = posted(name="twice") | {"action": "start"}
    with django_capture_on_commit_callbacks() as rung:
        first, second = reader.post("/runs/new/", form), reader.post("/runs/new/", form)
    run = Run.objects.get(name="twice")

    assert (first.status_code, first.url) == (303, f"/runs/{run.key}/")
    assert second.url == first.url
    assert (run.state, run.owner, run.preset) == ("queued", world.user, "smoke")
    assert len(rung) == 1


def test_what_the_launch_refuses_is_said_above_the_form(reader: Client, world: World):
    response = reader.post("/runs/new/", posted(problems__sets="nowhere") | {"action": "start"})

    assert response.status_code == 422
    assert "The Run was not started." in response.content.decode()
    assert "nowhere" in response.content.decode()


def test_a_check_by_htmx_returns_the_summary_with_the_marks(reader: Client, htmx: dict[str, str]):
    response = reader.post("/runs/new/", posted(sampling__k="7"), headers=htmx)
    text = response.content.decode()

    assert response.status_code == 200
    assert text.lstrip().startswith('<div class="card stack" id="launch-summary"')
    assert "was 2" in text
    assert "<html" not in text


def test_a_run_begins_from_an_earlier_one(reader: Client, world: World):
    world.finished.config["loop"]["max_iterations"] = 9
    Run.objects.filter(pk=world.finished.pk).update(config=world.finished.config)
    form = reader.get(f"/runs/new/?from={world.finished.key}").context["form"]

    assert [(f.setting.name, f.value) for f in form.changed] == [("loop.max_iterations", "9")]


def test_without_a_worker_the_form_says_that_a_run_would_wait(reader: Client):
    assert "No worker has been heard of lately" in reader.get("/runs/new/").content.decode()


def test_an_unknown_preset_is_not_started(reader: Client):
    assert reader.post("/runs/new/", {"preset": "none", "action": "start"}).status_code == 404
