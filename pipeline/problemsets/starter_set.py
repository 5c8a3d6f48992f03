"""The built-in problem set `starter`: Problems written by hand, one TOML file each in `starter/`.

The file's name is the slug. Reading a file checks all that can be checked without running anything: names that are
legal in Python and in q, type expressions, examples that fit the types, sources that parse and define what they must.
What this deliberately does not do: run the reference, the generator or the q Solution (`materialise` and the tests do).
"""

from __future__ import annotations

import ast
import keyword
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import RecordError
from pipeline.problemsets.source import ProblemSource
from pipeline.records import Param
from pipeline.typed_values import (
    TypedJsonError,
    UnrepresentableValue,
    decode_typed,
    encode_typed,
    parse_type,
    to_wire,
    to_wire_arguments,
)

STARTER_FOLDER = Path(__file__).parent / "starter"
MIN_EXAMPLES = 3
_NAME = re.compile(r"[a-z][A-Za-z0-9]*")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def _legal_name(name: str) -> str:
    """A name for a function or a parameter, legal in Python and in q."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ValueError(
            f"{name!r} is not a name for both Python and q; "
            "start with a lower-case letter and use letters and digits only"
        )
    return name


def _type_text(text: str) -> str:
    parse_type(text)
    return text


def _prose(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is empty")
    return text.strip() + "\n"


Name = Annotated[str, AfterValidator(_legal_name)]
TypeText = Annotated[str, AfterValidator(_type_text)]
Prose = Annotated[str, AfterValidator(_prose)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Parameter(_Table):
    name: Name
    type: TypeText


class _Example(_Table):
    """One public test, both parts in typed JSON."""

    arguments: list[Any]
    expected: Any


class _ProblemFile(_Table):
    """The fields of a file, as TOML gives them."""

    title: str = Field(min_length=1, max_length=60)
    difficulty: Literal["easy", "medium", "hard"]
    tags: list[str] = Field(min_length=1)
    statement: Prose
    entry_point: Name
    params: list[_Parameter] = Field(min_length=1, max_length=8)
    returns: TypeText
    comparator: Literal["equal", "unordered"] = "equal"
    reference: Prose
    generator: Prose
    solution: Prose
    examples: list[_Example] = Field(min_length=MIN_EXAMPLES)


def load_starter(folder: Path = STARTER_FOLDER) -> tuple[ProblemSource, ...]:
    """All Problems of a folder in the order of their slugs.

    Raises:
        RecordError: a file is not a Problem; the message names the file and the field.
    """
    sources = tuple(read_problem(path) for path in sorted(folder.glob("*.toml")))
    if not sources:
        raise RecordError(f"there are no problem files in {folder}; the installation is incomplete")
    by_name: dict[str, str] = {}
    for source in sources:
        other = by_name.setdefault(source.entry_point, source.slug)
        if other != source.slug:
            raise RecordError(
                f"{source.slug}.toml: entry_point: {source.entry_point!r} is taken by {other}.toml"
            )
    return sources


def read_problem(path: Path) -> ProblemSource:
    """Read and check one file.

    Raises:
        RecordError: it is not a Problem; the message names the file and the field.
    """
    if not _SLUG.fullmatch(path.stem):
        raise RecordError(
            f"{path.name}: a file name consists of lower-case words joined by hyphens"
        )
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        file = _ProblemFile.model_validate(table)
        return _source(path.stem, file)
    except OSError as error:
        raise RecordError(f"{path.name}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path.name}: is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        raise RecordError(f"{path.name}: is not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RecordError(
            f"{path.name}: {_field(first['loc'])}: {_reason(first['msg'])}"
        ) from error
    except _FieldError as error:
        raise RecordError(f"{path.name}: {error}") from error


class _FieldError(ValueError):
    """A fault in one field; `str(error)` begins with the field's name."""


def _field(location: tuple[int | str, ...]) -> str:
    """`params[1].name` for ('params', 1, 'name')."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return text.lstrip(".")


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")


def _source(slug: str, file: _ProblemFile) -> ProblemSource:
    """The checked file as the sets' common form."""
    names = [parameter.name for parameter in file.params]
    if len(set(names)) < len(names):
        raise _FieldError(f"params: a name occurs twice among {', '.join(names)}")
    if f"{file.entry_point}(" not in file.statement:
        raise _FieldError(
            f"statement: the worked example, written {file.entry_point}(...), is missing"
        )
    _require_function(file.reference, "reference", file.entry_point, len(names))
    _require_function(file.generator, "generator", "generate", 1)
    if not re.search(rf"^{file.entry_point}:\{{\[{';'.join(names)}\]", file.solution, re.MULTILINE):
        raise _FieldError(
            f"solution: must define {file.entry_point}:{{[{';'.join(names)}] ...}} at a line's start"
        )
    arguments, expected = _examples(file)
    return ProblemSource(
        slug=slug,
        title=file.title,
        statement=file.statement,
        difficulty=file.difficulty,
        tags=tuple(file.tags),
        entry_point=file.entry_point,
        params=tuple(Param(name=item.name, type=item.type) for item in file.params),
        returns=file.returns,
        comparator=file.comparator,
        reference=file.reference,
        generator=file.generator,
        solution=file.solution,
        examples=arguments,
        expected=expected,
    )


def _require_function(source: str, field: str, name: str, n_parameters: int) -> None:
    """Check that a Python source parses and defines a function with so many plain parameters."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise _FieldError(f"{field}: line {error.lineno} is not Python: {error.msg}") from error
    counts = [
        len(node.args.args)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == name
    ]
    if not counts:
        raise _FieldError(f"{field}: must define a function {name}")
    if counts[-1] != n_parameters:
        raise _FieldError(f"{field}: {name} takes {counts[-1]} parameters, expected {n_parameters}")


def _examples(file: _ProblemFile) -> tuple[tuple[tuple[Any, ...], ...], tuple[Any, ...]]:
    """Arguments and answers of the examples as plain Python values, which must fit the types."""
    arguments: list[tuple[Any, ...]] = []
    expected: list[Any] = []
    types = [parameter.type for parameter in file.params]
    for index, example in enumerate(file.examples):
        part = "arguments"
        try:
            values = tuple(map(decode_typed, example.arguments))
            to_wire_arguments(values, types)
            part = "expected"
            answer = decode_typed(example.expected)
            to_wire(answer, file.returns)
        except (TypedJsonError, UnrepresentableValue) as error:
            raise _FieldError(f"examples[{index}].{part}: {error}") from error
        if encode_typed(values) in map(encode_typed, arguments):
            raise _FieldError(f"examples[{index}].arguments: the same as in an earlier example")
        arguments.append(values)
        expected.append(answer)
    return tuple(arguments), tuple(expected)
