"""The launch form: its fields are the settings of `pipeline.config`, with their help, limits and defaults.

There is no second description of a setting here. A posted form is checked by the same model that the command line
uses, every field at once, so that each error stands beside its field. Nothing is written by this module.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from pipeline.config import RunConfig, load_preset, preset_names

GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Essentials",
        "what to learn from, with which policy",
        ("name", "seed", "problems.", "policy.base", "loop.max_iterations"),
    ),
    ("Loop", "when it ends", ("loop.",)),
    ("Sampling", "how Programs are drawn and accepted", ("sampling.", "acceptance.")),
    ("Training", "steps, rates and rows", ("sft.", "pretrain.", "augment.")),
    ("Evaluation", "how policies are measured", ("evaluation.",)),
    ("Advanced", "the demo policy, execution and compute", ("policy.", "execution.", "compute.")),
)
"""Groups of settings in order; a setting belongs to the first group that names it or its section."""

SECTIONS = {"sft": "Fine-tuning", "pretrain": "Pretraining", "augment": "Augmentation"}
"""Sections whose name is not their title."""

DEFAULT_PRESET = "demo"


@dataclass(frozen=True)
class Setting:
    """One setting as it is described: what it is called, means and allows."""

    name: str
    """Dotted, as in `--set`."""
    help: str
    limits: str
    kind: str
    """`text`, `number` or `choice`."""
    choices: tuple[str, ...]
    is_list: bool
    is_optional: bool

    @property
    def label(self) -> str:
        """Name for a person, within its section."""
        section, _, leaf = self.name.rpartition(".")
        words = leaf.replace("_", " ")
        return words if section else words.capitalize()

    @property
    def section(self) -> str:
        """Section for a person; empty for settings of the Run itself."""
        section = self.name.rpartition(".")[0]
        return SECTIONS.get(section, section.replace("_", " ").capitalize())

    @property
    def limits_sentence(self) -> str:
        """The limits as a sentence of their own."""
        return f"{self.limits[:1].upper()}{self.limits[1:]}." if self.limits else ""

    @property
    def html_id(self) -> str:
        return "set-" + self.name.replace(".", "-").replace("_", "-")


@dataclass(frozen=True)
class SettingField:
    """One setting with its value in a form or a Run."""

    setting: Setting
    value: str
    preset_value: str
    is_changed: bool
    error: str = ""


@dataclass(frozen=True)
class SettingGroup:
    """Settings that belong together."""

    title: str
    note: str
    fields: tuple[SettingField, ...]

    @property
    def n_changed(self) -> int:
        return sum(field.is_changed for field in self.fields)

    @property
    def n_errors(self) -> int:
        return sum(bool(field.error) for field in self.fields)


@dataclass(frozen=True)
class LaunchForm:
    """A launch form with values, filled in or posted."""

    preset: str
    presets: tuple[str, ...]
    groups: tuple[SettingGroup, ...]
    config: RunConfig | None
    """The resolved settings; None while a field is wrong."""
    overrides: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        return self.config is not None

    @property
    def changed(self) -> list[SettingField]:
        """Fields that differ from the preset."""
        return [field for group in self.groups for field in group.fields if field.is_changed]

    @property
    def errors(self) -> list[SettingField]:
        """Fields that are wrong."""
        return [field for group in self.groups for field in group.fields if field.error]

    @property
    def command(self) -> str:
        """The same Run from the command line."""
        parts = [f"--set {shlex.quote(override)}" for override in self.overrides]
        return " ".join(["manage.py bootstrap --preset", self.preset, *parts])


@cache
def settings_by_name() -> dict[str, Setting]:
    """Every setting that a person may choose, in the order of the model; `stage` is no choice yet."""
    return {s.name: s for s in _describe(RunConfig, "") if s.name != "stage"}


def blank_form(preset: str, config: Mapping[str, Any] | None = None) -> LaunchForm:
    """The form of a preset, or of an earlier Run's settings against that preset. Raises: ConfigError."""
    base = load_preset(preset).model_dump(mode="json")
    values = _flat(config or base)
    texts = {name: as_text(values.get(name)) for name in settings_by_name()}
    return _form(preset, texts)


def bound_form(posted: Mapping[str, str]) -> LaunchForm:
    """The form as posted, checked. Raises: ConfigError for an unknown preset."""
    preset = posted.get("preset") or DEFAULT_PRESET
    base = _flat(load_preset(preset).model_dump(mode="json"))
    texts = {name: posted.get(name, as_text(base.get(name))).strip() for name in settings_by_name()}
    return _form(preset, texts)


def setting_groups(config: Mapping[str, Any], preset: str) -> tuple[SettingGroup, ...]:
    """Settings of a Run by group, marked where they differ from its preset."""
    flat = _flat(config)
    base = _preset_values(preset)
    fields = {
        name: SettingField(
            setting=setting,
            value=as_text(flat.get(name)),
            preset_value=as_text(base.get(name)),
            is_changed=name in flat and as_text(flat[name]) != as_text(base.get(name)),
        )
        for name, setting in settings_by_name().items()
    }
    return _grouped(fields)


def changed_overrides(config: Mapping[str, Any], preset: str) -> list[str]:
    """`a.b=c` for every setting that differs from the preset; `c` as `--set` reads it."""
    base, flat = _preset_values(preset), _flat(config)
    return [
        f"{name}={_override_text(flat[name])}"
        for name in settings_by_name()
        if name in flat and flat[name] != base.get(name)
    ]


def as_text(value: Any) -> str:
    """A setting's value as a form shows it: nothing for none, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(str(item) for item in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _form(preset: str, texts: Mapping[str, str]) -> LaunchForm:
    base = _preset_values(preset)
    tree: dict[str, Any] = {}
    for name, setting in settings_by_name().items():
        _plant(tree, name, _parsed(texts[name], setting))
    errors: dict[str, str] = {}
    config = None
    try:
        config = RunConfig.model_validate(tree)
    except ValidationError as error:
        errors = {_setting_name(e["loc"]): e["msg"] for e in error.errors()}
    resolved = _flat(config.model_dump(mode="json")) if config else {}
    fields = {}
    for name, setting in settings_by_name().items():
        preset_value = as_text(base.get(name))
        field = SettingField(
            setting=setting,
            value=texts[name],
            preset_value=preset_value,
            is_changed=resolved[name] != base.get(name)
            if resolved
            else texts[name] != preset_value,
        )
        if name in errors:
            field = replace(
                field, error=_sentence(setting, texts[name], errors[name], preset_value)
            )
        fields[name] = field
    overrides = changed_overrides(resolved, preset) if resolved else ()
    return LaunchForm(preset, tuple(preset_names()), _grouped(fields), config, tuple(overrides))


def _sentence(setting: Setting, text: str, message: str, preset_value: str) -> str:
    """What is wrong with a value, why, and one that works."""
    reason = message.removeprefix("Input should be ").removeprefix("Value error, ").lower()
    given = f"{text!r} does not work" if text else "This is needed"
    works = f"; {preset_value!r} works" if preset_value else ""
    return f"{given}: it must be {reason}{works}."


def _grouped(fields: Mapping[str, SettingField]) -> tuple[SettingGroup, ...]:
    left = dict(fields)
    groups = []
    for title, note, wanted in GROUPS:
        names = [
            n for n in left if any(n == w or (w.endswith(".") and n.startswith(w)) for w in wanted)
        ]
        groups.append((title, note, [left.pop(n) for n in names]))
    # What the model gains later and no group names yet is still settable.
    groups[-1][2].extend(left.values())
    return tuple(SettingGroup(title, note, tuple(members)) for title, note, members in groups)


def _describe(model: type[BaseModel], prefix: str) -> list[Setting]:
    found: list[Setting] = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found.extend(_describe(annotation, f"{prefix}{name}."))
        else:
            found.append(_setting(f"{prefix}{name}", field))
    return found


def _setting(name: str, field: FieldInfo) -> Setting:
    annotation: Any = field.annotation
    is_optional = get_origin(annotation) in (Union, UnionType) and type(None) in get_args(
        annotation
    )
    if is_optional:
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    is_list = get_origin(annotation) is tuple
    choices = (
        tuple(str(c) for c in get_args(annotation)) if get_origin(annotation) is Literal else ()
    )
    kind = "choice" if choices else "number" if annotation in (int, float) else "text"
    return Setting(
        name=name,
        help=" ".join((field.description or "").replace("`", "").split()),
        limits=_limits(field, annotation, is_list, is_optional),
        kind=kind,
        choices=choices,
        is_list=is_list,
        is_optional=is_optional,
    )


def _limits(field: FieldInfo, annotation: Any, is_list: bool, is_optional: bool) -> str:
    """What is allowed, in words."""
    words = []
    for limit in field.metadata:
        match limit:
            case Ge(ge=bound):
                words.append(f"at least {bound}")
            case Gt(gt=bound):
                words.append(f"above {bound}")
            case Le(le=bound):
                words.append(f"at most {bound}")
            case Lt(lt=bound):
                words.append(f"below {bound}")
    kind = {int: "whole number", float: "number"}.get(annotation, "")
    text = ", ".join([part for part in (kind, *words) if part])
    if is_list:
        text = "several are separated by commas"
    if is_optional:
        text += "; empty for no limit"
    return text


def _parsed(text: str, setting: Setting) -> Any:
    """What the settings' own model is given: it converts and checks numbers itself."""
    if setting.is_list:
        return [part.strip() for part in text.split(",") if part.strip()]
    return None if setting.is_optional and not text else text


def _preset_values(preset: str) -> dict[str, Any]:
    name = preset if preset in preset_names() else DEFAULT_PRESET
    return _flat(load_preset(name).model_dump(mode="json"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _plant(tree: dict[str, Any], name: str, value: Any) -> None:
    *sections, leaf = name.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
    tree[leaf] = value


def _setting_name(location: tuple[str | int, ...]) -> str:
    """The setting that a pydantic error is about: positions inside a list are not part of its name."""
    return ".".join(part for part in location if isinstance(part, str))


def _override_text(value: Any) -> str:
    """A value as `--set` takes it: bare text stays bare unless it would read as JSON."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except ValueError:
        return value
    return json.dumps(value)
