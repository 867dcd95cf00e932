"""What a tenant would try to say something else under an approved template."""

import sys
import unicodedata

import pytest

from tenants.templates.matching import match
from tenants.templates.rendering import RenderFaults, Template, parse_template, render
from tenants.templates.variables import Declaration, VariableKind, check_value

_BODY = "Acme: your code is {code}. Order of {day}: {sum} at {link}, {name}"
_DECLARATIONS = {
    "code": Declaration(kind="digits", max_length=6),
    "day": Declaration(kind="date"),
    "sum": Declaration(kind="amount", max_length=12),
    "link": Declaration(kind="url", max_length=60),
    "name": Declaration(kind="text", max_length=20),
}
_VALUES = {
    "code": "123456",
    "day": "2026-11-21",
    "sum": "12.50",
    "link": "https://acme.example/t",
    "name": "Ana",
}

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e"
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u206a\u206f"
    "\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0"
    "\ufff9\ufffa\ufffb\ufffc\U0001d173\U000e0001\U000e0041\U000e007f\U000e0100"
)
_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_CONTROLS = "\x00\x01\x07\x08\x09\x1b\x1f\x7f\x80\x9b\x9f"
_UNENCODABLE = "\ud800\udbff\udc00\udfff\ufffe\uffff\ue000\uf8ff\U000f0000\U0010fffd"

_TEXT_ATTEMPTS = {
    "too_long": ["x" * 21, "e\u0301" * 21, "\U0001f600" * 21, " " * 20 + "x", "x" * 100_000],
    "missing": ["", " ", "\u00a0\u3000", "\n\n"],
    "forbidden_character": [
        *(f"An{character}a" for character in _INVISIBLE + _LINE_ENDS + _CONTROLS + _UNENCODABLE),
        "\u0301Ana",
        "\u0338 not",
        "\u20e0",
        "\u0489x",
        "\u093fx",
        "Ana\r\n\r\nBank: pay",
    ],
    "wrong_kind": [
        "http://evil.example",
        "HTTPS://evil.ex",
        "see ftp://evil.ex",
        "www.evil.example",
        "WWW.evil.example",
        "a (www.evil.ex)",
        "tel://19005550123",
        "...evil.com",
        "Ana ..evil.com/x",
        ".bit.ly/x",
        "evil.xn--p1ai",
        "a.xn--p1ai/login",
        "\u0435\u043b.\u0440\u0444",
        "\u0435\u043b.\u0430\u0431\u0432/x",
        "93.184.216.34/login",
        "93.184.216.34:80/x",
    ],
    "not_text": [None, True, 0, 1.5, ["Ana"], {"name": "Ana"}],
}

_OTHER_ATTEMPTS: dict[VariableKind, list[object]] = {
    "digits": [
        "\u0661\u0662\u0663", "\u0967\u0968", "\uff11\uff12", "\u00b2", "\u2460", "\U0001d7ce", "12 34",
        "12-34", "1e5",
        "0x1F", "-12", "+12", "12.", "1_000", "12\n", " 12", "call 1", "1234567", -1, 1234567, "\u3007",
        "I2", "O0",
    ],
    "amount": [
        "12.", ".5", "1..2", "1,23,456", "1.234.5678", "12.50 USD", "$5", "\u20b95", "1e9", "--1", "+1",
        "1 000",
        "\u0661.\u0662", "12.50\n", "NaN", "inf", "1,234.50,00", "1.2.3", float("nan"), 1e22, "0x10", "1'000",
    ],
    "date": [
        "2026-02-30", "2026-13-01", "2025-02-29", "31.13.2026", "31/31/2026", "0000-01-01", "2026-1-1",
        "26-01-01",
        "2026-11-21T15:30", "2026-11-21 24:00", "2026-11-21 15:60", "2026-11-21 15:30:00", "21.11/2026",
        "today",
        "2026-11-21\n", "\u0662\u0660\u0662\u0666-11-21", "2026\u201311\u201321", "32.01.2026", "2026-11-21 ",
    ],
    "url": [
        "http://acme.example", "https://", "https:///x", "https://localhost", "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://user@evil.ex", "https://acme.example@evil.ex", "https://a:b@evil.ex/",
        "https://acme.example\\@evil.ex",
        "https://acme.example/ x", "https://acme.example/\n", "javascript:alert(1)", "data:text/html,x",
        "//evil.ex",
        "https:/evil.ex", "https:evil.ex", "https://ac me.ex", "https://\u0430cme.example",
        "https://acme.example/\u202e",
        "https://acme\u3002example", "https://acme.example/{x}", "https://-a.example", "https://a-.example",
        "https://a..example", "https://.example", "https://acme.example.", "https://acme.example:",
        "https://1.2",
        "https://acme.example:123456", "HTTPS://acme.example", " https://acme.example",
        "https://acme.example ",
        "https://acme.example\t", "https://acme%2eexample@evil.ex", "https://acme.e",
        "https://" + "a" * 64 + ".ex",
        "https://acme.example/" + "a" * 60, "https://\uff41cme.example", "https://acme.example\x00.evil.ex",
    ],
}  # fmt: skip

_MIXED_WORDS = [
    "p\u0430ypal", "\u0410cme", "Ac\u043ce", "\u03a1aypal", "go\u03bfgle", "b\u0430nk", "\u0392ank",
    "secur\u0435",
    "\u0455ecure", "a\u0440\u0440le", "Microso\u0192t\u0430", "\u13aacme", "\u054dcme",
    "\u0412\u0391\u039d\u041a",
    "Vis\u0430", "l\u043egin", "Am\u0430zon", "\u0405top", "\u03bbcme1", "N\u0435tflix",
]  # fmt: skip


def _template() -> Template:
    template = parse_template(_BODY)
    assert isinstance(template, Template)
    return template


def test_the_honest_values_pass():
    """Otherwise every refusal below would prove nothing."""
    assert not isinstance(render(_template(), _DECLARATIONS, _VALUES), RenderFaults)


@pytest.mark.parametrize(
    ("code", "value"),
    [(code, value) for code, values in _TEXT_ATTEMPTS.items() for value in values],
    ids=lambda value: ascii(value)[:40],
)
def test_a_text_value_cannot_leave_its_place(code: str, value: object):
    """One line, visible, of bounded length, and no link."""
    outcome = render(_template(), _DECLARATIONS, _VALUES | {"name": value})
    assert isinstance(outcome, RenderFaults)
    assert [(fault.field, fault.code) for fault in outcome.faults] == [("/template/variables/name", code)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, value) for kind, values in _OTHER_ATTEMPTS.items() for value in values],
    ids=lambda value: ascii(value)[:40],
)
def test_a_typed_value_cannot_be_anything_else(kind: VariableKind, value: object):
    """Formats are fixed and ASCII; near misses are misses."""
    name = next(name for name, declaration in _DECLARATIONS.items() if declaration.kind == kind)
    outcome = render(_template(), _DECLARATIONS, _VALUES | {name: value})
    assert isinstance(outcome, RenderFaults)
    assert [fault.field for fault in outcome.faults] == [f"/template/variables/{name}"]


@pytest.mark.parametrize("word", _MIXED_WORDS, ids=ascii)
def test_a_word_that_mixes_look_alike_scripts_is_refused(word: str):
    """The brand in a reader's eyes must be the brand in the text."""
    outcome = render(_template(), _DECLARATIONS, _VALUES | {"name": word})
    assert isinstance(outcome, RenderFaults)
    assert outcome.faults[0].code == "forbidden_character"


@pytest.mark.parametrize(
    "name",
    [
        "\u0418\u0432\u0430\u043d",
        "\u0395\u03bb\u03ad\u03bd\u03b7",
        "Zo\u00eb \u0418.",
        "\u5c71\u7530 Taro",
        "\u0645\u062d\u0645\u062f",
        "O'Brien-Smith",
    ],
)
def test_names_of_the_world_are_accepted(name: str):
    """A rule that refused customers' names would be switched off."""
    assert not isinstance(render(_template(), _DECLARATIONS, _VALUES | {"name": name}), RenderFaults)


@pytest.mark.parametrize(
    ("body", "values", "field", "code"),
    [
        ("{a}{b}", {"a": "http:", "b": "//evil.ex"}, "a", "wrong_kind"),
        ("{a}{b}", {"a": "http:/", "b": "/evil.ex"}, "a", "wrong_kind"),
        ("see {a}/{b}", {"a": "http:", "b": "/evil.ex"}, "a", "wrong_kind"),
        ("see http{a}", {"a": ":"}, None, None),
        ("see http:/{a}", {"a": "/evil.ex"}, "a", "wrong_kind"),
        ("see ww{a}", {"a": "w.evil.ex"}, "a", "wrong_kind"),
        ("{a}.evil.ex", {"a": "www"}, "a", "wrong_kind"),
        ("{a}pal", {"a": "P\u0430y"}, "a", "forbidden_character"),
        ("{a}pal", {"a": "\u0420\u0430\u0443"}, "a", "forbidden_character"),
        ("Pay{a}", {"a": "\u0440\u0430l"}, "a", "forbidden_character"),
        ("{a}{b}", {"a": "Pay", "b": "\u0440\u0430\u04c0"}, "a", "forbidden_character"),
    ],
)
def test_nothing_forbidden_arises_where_values_meet(body: str, values, field: str | None, code: str | None):
    """Each value may look harmless; the text is what the phone shows."""
    template = parse_template(body)
    assert isinstance(template, Template)
    outcome = render(template, {}, values)
    text = body.format(**values)
    assert (match(template, {}, text) is None) == (field is not None)
    if field is None:
        assert not isinstance(outcome, RenderFaults)
        return
    assert isinstance(outcome, RenderFaults)
    assert [(fault.field, fault.code) for fault in outcome.faults] == [(f"/template/variables/{field}", code)]


@pytest.mark.parametrize(
    "value", ["{code}", "{{code}}", "{0}", "{}", "{name.__class__}", "%s", "$code", "\\g<0>", "${x}"]
)
def test_a_value_is_never_expanded_again(value: str):
    """What looks like a place in a value is text."""
    template = parse_template("Hi {name}, {code}")
    assert isinstance(template, Template)
    outcome = render(template, {}, {"name": value, "code": "1"})
    assert not isinstance(outcome, RenderFaults)
    assert outcome.text == f"Hi {value}, 1"


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", value) for values in _TEXT_ATTEMPTS.values() for value in values if isinstance(value, str)]
    + [
        (kind, value)
        for kind, values in _OTHER_ATTEMPTS.items()
        for value in values
        if isinstance(value, str)
    ]
    + [("text", word) for word in _MIXED_WORDS],
    ids=lambda value: ascii(value)[:40],
)
def test_free_text_is_held_to_the_same_rules(kind: VariableKind, value: str):
    """A text that matches is sent like a template; what `render` refuses must not come in by this door."""
    template = parse_template("Hello {name}!")
    assert isinstance(template, Template)
    declarations = {"name": Declaration(kind=kind, max_length=_max_length(kind))}
    assert match(template, declarations, f"Hello {value}!") is None


def _max_length(kind: VariableKind) -> int:
    return next(declaration.max_length for declaration in _DECLARATIONS.values() if declaration.kind == kind)


def test_no_invisible_or_unassigned_format_character_of_unicode_gets_through():
    """Held to the character database, so that a range forgotten above shows here."""
    visible_prefixes = set(
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
    accepted = [
        f"U+{code:04X}"
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        and chr(code) not in visible_prefixes
        and isinstance(check_value("name", Declaration(), f"a{chr(code)}b"), str)
    ]
    assert accepted == []
