"""msgspec's complaints, read back into JSON pointers."""

from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from gateway.api.bodies import decoded
from gateway.api.field_errors import refusal_of_body
from gateway.api.refusals import Refusal
from tenants.complaints import pointer


class Inner(Struct, forbid_unknown_fields=True):
    number: int


class Outer(Struct, forbid_unknown_fields=True):
    items: list[Inner] = []
    by_name: dict[str, Inner] = {}
    codes: dict[Annotated[str, Meta(pattern="^[A-Z]+$")], int] = {}
    sizes: dict[Literal["big", "small"], Literal["one", "two"]] = {}
    by_place: dict[str, dict[Literal["north", "south"], Literal["one", "two"]]] = {}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b'{"itms": []}', "/itms", "unknown_field"),
        (b'{"items": [{"number": 1}, {"number": "x"}]}', "/items/1/number", "invalid"),
        (b'{"items": [{}]}', "/items/0/number", "required"),
        (b'{"items": [{"number": 1, "nmber": 2}]}', "/items/0/nmber", "unknown_field"),
        (b'{"by_name": {"a": {"number": null}}}', "/by_name", "invalid"),
        (b"[]", "/", "invalid"),
        (b'{"a`b - at `$.c`": 1}', "/a`b - at `$.c`", "unknown_field"),
    ],
)
def test_a_complaint_becomes_a_pointer(body: bytes, field: str, code: str) -> None:
    """Also inside arrays, and with a name that imitates the complaint's own form."""
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Outer)
    fault = refusal_of_body(str(caught.value)).errors[0]
    assert (fault.field, fault.code) == (field, code)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b'{"by_name": {"a": {"number": null}}}', "/by_name/a/number", "invalid"),
        (b'{"by_name": {"a": {"number": 1}, "b": {}, "c": {"n": 1}}}', "/by_name/b/number", "required"),
        (b'{"by_name": {"a/b": {"number": 1, "nmber": 2}}}', "/by_name/a~1b/nmber", "unknown_field"),
        (b'{"codes": {"AA": 1, "Bb": 2, "CC": 3}}', "/codes/Bb", "invalid"),
        (b'{"by_name": {"a": {"number": null}}, ', "/by_name", "invalid"),
        (b'{"by_name": {"a": {"number": null}}}' + b" " * (1 << 16), "/by_name", "invalid"),
    ],
)
def test_the_member_of_a_map_is_named(body: bytes, field: str, code: str) -> None:
    """The complaint says only that it is one of them; where it cannot be found out, the map stands for it."""
    with pytest.raises(Refusal) as refused:
        decoded(body, msgspec.json.Decoder(Outer))
    fault = refused.value.errors[0]
    assert (fault.field, fault.code) == (field, code)


_BLANKS = b" " * (1 << 16)
"""So much that the member of a map is not looked for."""


@pytest.mark.parametrize(
    ("body", "field", "choices"),
    [
        (b'{"sizes": {"big": "three"}}', "/sizes/big", "one, two"),
        (b'{"sizes": {"A key: ": "one"}}', "/sizes/A key: ", "big, small"),
        (b'{"sizes": {"big": "one", "h/~uge": "one"}}', "/sizes/h~1~0uge", "big, small"),
        (b'{"by_place": {"a/b": {"north": "three"}}}', "/by_place/a~1b/north", "one, two"),
        (b'{"by_place": {"a/b": {"west": "one"}}}', "/by_place/a~1b/west", "north, south"),
        (b'{"sizes": {"huge": "one"}}' + _BLANKS, "/sizes", "big, small"),
        (b'{"by_place": {"a": {"west": "one"}}}' + _BLANKS, "/by_place", "north, south"),
    ],
)
def test_what_a_key_or_its_value_may_be_is_told(body: bytes, field: str, choices: str) -> None:
    """A key has choices of its own, whatever it is called and whether it can be named or not."""
    with pytest.raises(Refusal) as refused:
        decoded(body, msgspec.json.Decoder(Outer))
    fault = refused.value.errors[0]
    assert (fault.field, fault.code) == (field, "invalid")
    assert fault.detail.endswith(f"; it is one of {choices}.")


def test_a_pointer_escapes_what_rfc_6901_says() -> None:
    """`~` and `/` are not steps."""
    assert pointer(".a~b[2].c/d") == "/a~0b/2/c~1d"


def test_a_very_long_name_is_cut() -> None:
    """What comes from outside is not repeated at length."""
    refusal = refusal_of_body(f"Object contains unknown field `{'x' * 10_000}`")
    assert len(refusal.detail) < 200
