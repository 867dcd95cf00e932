"""Every way we know to say something else in the words of an approved template, tried all over it."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from gateway.intake.matching import PatternIndex, matched
from gateway.intake.outcome import Declined
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import ApprovedTemplate
from tenants.templates.rendering import Template, parse_template
from tenants.templates.variables import Declaration

BODY = "Acme: {name}, your code is {code}. Paid {sum} on {day}, see {link} Reply STOP"
DECLARATIONS = {
    "name": Declaration(kind="text", max_length=20),
    "code": Declaration(kind="digits", max_length=6),
    "sum": Declaration(kind="amount", max_length=10),
    "day": Declaration(kind="date", max_length=10),
    "link": Declaration(kind="url", max_length=40, hosts=("acme.com",)),
}
VALUES = {
    "name": "Ana Maria",
    "code": "123456",
    "sum": "12.50",
    "day": "2026-11-21",
    "link": "https://acme.com/t/1",
}
INVISIBLE = {
    "soft hyphen": "\u00ad",
    "combining grapheme joiner": "\u034f",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "left-to-right mark": "\u200e",
    "right-to-left override": "\u202e",
    "first strong isolate": "\u2068",
    "arabic letter mark": "\u061c",
    "variation selector": "\ufe0f",
    "tag letter": "\U000e0061",
    "hangul filler": "\u3164",
    "line feed": "\n",
    "carriage return, line feed": "\r\n",
    "next line": "\u0085",
    "line separator": "\u2028",
    "null": "\x00",
    "tab": "\t",
    "private use": "\ue000",
    "overlay": "\u0338",
    "tower of marks": "\u0300\u0301\u0302\u0303",
}
HOMOGLYPHS = {
    "a": "\u0430\u03b1\u0251", "c": "\u0441\u03f2", "e": "\u0435\u212e", "o": "\u043e\u03bf\u0585",
    "p": "\u0440\u03c1",
    "r": "\u0433", "s": "\u0455", "i": "\u0456\u0131", "y": "\u0443", "d": "\u0501", "n": "\u0578",
    "u": "\u057d",
    "A": "\u0410\u0391\u13aa", "P": "\u0420\u03a1", "S": "\u0405", "T": "\u0422\u03a4", "O": "\u041e\u039f",
    "R": "\u13a1", ":": "\u02d0\u2236\ua789", ".": "\u2024\u3002", ",": "\u201a", "m": "\u217f",
    "l": "\u04cf",
}  # fmt: skip
OTHER_VALUES: dict[str, list[str]] = {
    "name": [
        "x" * 21, "\U0001f600" * 21, "", " ", "{code}\n", "http://evil.example", "https://evil.example",
        "www.evil.example",
        "evil.com", "EVIL.COM", "a evil.net b", "bit.ly/3abc", "see t.co/x", "evil.zz/x", "evil\uff0ecom",
        "evil\u3002com", "evil\u2024com", "www\uff0eevil\uff0ecom", "http\uff1a//evil",
        "http:\uff0f\uff0fevil",
        "\uff45\uff56\uff49\uff4c.com", "tel://190055501", "P\u0430ypal", "\u0420\u0430\u0443\u0440\u0430",
        "\u0391\u03a1\u03a1\u039f", "\U0001d40f\U0001d41a\U0001d432", "\u24c5\u24d0\u24e8",
        "\u1d18\u1d00\u028f",
        "\uff30\uff41\uff59", "\uff11\uff12\uff13", "a\u0300\u0301\u0302\u0303b", "\u0301Ana",
        "Ana\u20e0", "A\u0336n\u0336a",
        "\U0001f170\U0001f171", "\u202eanA", "A\u200bna", "Ana\r\nBank: pay", "Ana\u2028Bank",
        "Ana, your code is 1. Paid",
    ],
    "code": [
        "1234567", "", " ", "12 34", "12-34", "\uff11\uff12\uff13", "\u0661\u0662\u0663", "\u0967\u0968",
        "\U0001d7ce\U0001d7cf",
        "\u2460\u2461", "\u00b2\u00b3", "1e5", "0x1F", "-1", "+1", "1.", "1_0", "12\n", "I2O",
        "12\u0301", "{code}", "call", "1\u200b2",
    ],
    "sum": [
        "1..2", "12.", ".5", "1,2,3", "$5", "5 EUR", "--1", "1e9", "\u0661.\u0662", "\uff11",
        "12345678.90", "NaN", "1 000", "12.50\n",
    ],
    "day": [
        "2026-02-30", "2026-13-01", "21.13.2026", "tomorrow", "2026-1-1",
        "\uff12\uff10\uff12\uff16-11-21", "2026\u201311\u201321",
        "26-01-01", "2026-11-21T15:30", "0000-01-01", "2026-11-21 15:30",
    ],
    "link": [
        "http://acme.com/t", "https://evil.com/acme.com", "https://acme.com.evil.com/t",
        "https://evilacme.com/t",
        "https://acme.com@evil.com/", "https://evil.com#acme.com", "https://evil.com?acme.com",
        "https://acme.com\\@evil.com",
        "https://user:pw@acme.com/", "https://127.0.0.1/t", "https://[::1]/t", "https://bit.ly/3abc",
        "https://tinyurl.com/x",
        "https://www.bit.ly/3abc", "https://acme.co", "https://\u0430cme.com/t",
        "https://acme\u3002com/t", "https://acme.com/\u202et",
        "https://acme.com/ t", "https://acme.com/\nt", "https://acme.com/{code}", "javascript:alert(1)",
        "//acme.com/t", "acme.com/t",
        "HTTPS://acme.com/t", "https:/acme.com",
        "https://acme.com/" + "a" * 40, "https://acme%2ecom@evil.com", "data:text/html,x",
        "https://acme.com\t/t", "ftp://acme.com/t", "https://acme.com.", "https://xn--acme-9ta.com/t",
        "https://-acme.com/t",
    ],
}  # fmt: skip


def _attempts() -> Iterator[tuple[str, str]]:
    honest = BODY.format(**VALUES)
    yield from _insertions(honest)
    yield from _look_alikes(honest)
    for name, values in OTHER_VALUES.items():
        for value in values:
            yield f"{name}={value!a}", BODY.format(**(VALUES | {name: value}))
    yield from (
        ("text before", f"Bank: {honest}"),
        ("text after", f"{honest} now"),
        ("blank before", f" {honest}"),
        ("blank after", f"{honest} "),
        ("line after", f"{honest}\nBank: pay"),
        ("twice", f"{honest}{honest}"),
        ("upper case", honest.upper()),
        ("lower case", honest.lower()),
        ("double blanks", honest.replace(" ", "  ")),
        ("no-break blanks", honest.replace(" ", "\u00a0")),
        ("ideographic blanks", honest.replace(" ", "\u3000")),
        ("figure blanks", honest.replace(" ", "\u2007")),
        ("reversed", honest[::-1]),
        ("the pattern itself", BODY),
        ("without the end", honest.removesuffix(" Reply STOP")),
        ("without the brand", honest.removeprefix("Acme: ")),
        ("escaped", honest.replace("Acme", "\\u0041cme")),
        ("as an entity", honest.replace("Acme", "&#65;cme")),
        ("as a format", honest.replace("123456", "%06d")),
        ("empty", ""),
        ("very long", honest + "x" * 5000),
    )


def _insertions(honest: str) -> Iterator[tuple[str, str]]:
    """Each hidden character before every third character: in the words, in values, between them."""
    for label, hidden in INVISIBLE.items():
        for place in range(0, len(honest) + 1, 3):
            yield f"{label} at {place}", honest[:place] + hidden + honest[place:]


def _look_alikes(honest: str) -> Iterator[tuple[str, str]]:
    """Each letter that has a double, and its wide form, outside the one value that may hold any text."""
    free = range(honest.index(VALUES["name"]), honest.index(VALUES["name"]) + len(VALUES["name"]))
    for place, character in enumerate(honest):
        if place in free:
            continue
        wide = chr(ord(character) + 0xFEE0) if character != " " else "\u2003"
        for double in HOMOGLYPHS.get(character, "") + wide:
            yield f"{double!a} for {character!r} at {place}", honest[:place] + double + honest[place + 1 :]


ATTEMPTS = dict(_attempts())


@pytest.fixture(scope="module")
def index() -> PatternIndex:
    """The tenant's only template."""
    template = parse_template(BODY)
    assert isinstance(template, Template)
    return PatternIndex(
        [
            ApprovedTemplate(
                id=UUID(int=1),
                name="paid",
                version=1,
                type="transactional",
                countries=frozenset(),
                template=template,
                declarations=DECLARATIONS,
            )
        ]
    )


def test_the_honest_text_passes(index: PatternIndex) -> None:
    """Otherwise every refusal below would prove nothing."""
    sent = SendRequest(to="+14155550123", body=BODY.format(**VALUES))
    assert isinstance(matched(index, sent, "US"), ApprovedTemplate)


def test_there_are_more_than_five_hundred_attempts() -> None:
    """All different, and none of them the honest text."""
    assert len(set(ATTEMPTS.values()) - {BODY.format(**VALUES)}) >= 500


@pytest.mark.parametrize("label", ATTEMPTS, ids=ascii)
def test_no_attempt_gets_through(index: PatternIndex, label: str) -> None:
    """Refused, with a reason that does not repeat the text."""
    outcome = matched(index, SendRequest(to="+14155550123", body=ATTEMPTS[label]), "US")
    assert isinstance(outcome, Declined), ATTEMPTS[label]
    assert outcome.code == "template_required"
    assert "123456" not in outcome.detail
