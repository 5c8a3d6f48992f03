"""Members of the built-in namespaces: found when first used, visible as dictionaries, replaceable by q code."""

from __future__ import annotations

import pytest

from q_runtime import QError, Session, UnsupportedFeature
from q_runtime.evaluate.builtins import SPACES, member_names


def test_every_member_that_is_listed_can_be_read() -> None:
    session = Session()
    for space in SPACES:
        for name in member_names(space):
            session.eval(f"{space}.{name};1")


def test_a_namespace_is_a_dictionary_of_its_members() -> None:
    session = Session()

    assert session.eval("`addmonths in key `.Q") is True
    assert session.eval("`.Q[`an]~.Q.an") is True


def test_a_member_may_be_replaced() -> None:
    session = Session()
    session.eval_script('.h.d:"*"\n.Q.f:{x+y}')

    assert session.eval(".Q.f[1;2]") == 3
    assert session.eval(".h.d") == "*"
    assert Session().eval(".h.d") == " "


def test_the_clock_can_be_frozen() -> None:
    session = Session(clock=lambda: 946_684_800_000_000_000 + 86_400_000_000_000 + 1_500_000_000)

    assert session.console(".z.p") == "2000.01.02D00:00:01.500000000"
    assert session.console("(.z.d;.z.t;.z.n;.z.z)") == (
        "2000.01.02\n00:00:01.500\n0D00:00:01.500000000\n2000.01.02T00:00:01.500"
    )


def test_a_handler_is_undefined_until_it_is_assigned() -> None:
    session = Session()

    assert session.console(".z.ts") == "'.z.ts"
    session.eval_script(".z.ts:{x}")
    assert session.console(".z.ts") == "{x}"


def test_what_kdb_has_and_we_lack_is_no_q_error() -> None:
    with pytest.raises(UnsupportedFeature):
        Session().eval('@[value;".h.logo";0]')


@pytest.mark.parametrize(
    "text",
    ["hopen 5000", "read0`:f", "read1`:f", "`:f 0: enlist\"a\"", "get`:f", "`:f set 1", "save`t", "system\"ls\"",
     "key`:.", "hdel`:f", ".Q.hg`:http://x", "-21!`:f", "\\ls", "(\"II\";\",\")0:`:f.csv", "(\"i\";4)1:`:f",
     "value`:f"],
)  # fmt: skip
def test_the_outside_is_refused_and_noted(text: str) -> None:
    session = Session()

    with pytest.raises(QError) as caught:
        session.eval(text)
    assert caught.value.code == "access"
    assert len(session.denied) == 1


def test_a_fresh_session_has_been_denied_nothing() -> None:
    assert Session().denied == ()
