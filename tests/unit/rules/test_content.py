"""Free text is read as a person reads it: a disguise changes nothing, and innocent words stay innocent."""

import re
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.rules import content
from gateway.admission.rules.content import content_is_carried
from gateway.admission.rules.ports import Closed, SendFacts
from tenants.accounts.plan import Plan, content_screen_of
from tenants.countries.numbers import Number
from tenants.templates.folding import fold, respelt
from tenants.templates.links import hosts, is_shortener

_NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def _verdict(text: str, *, screen: str = "prohibited", country: str = "US", **members: object) -> object:
    usual: dict[str, object] = {
        "plan": Plan(),
        "number": Number(e164="+12065550100", country=country, kind="mobile"),
        "message_type": "transactional",
        "channel": "sms",
        "text": text,
        "from_template": False,
        "screen": screen,
        "sender_type": "LONG_CODE",
        "verified": False,
        "leaves_at": _NOW,
    }
    return content_is_carried(SendFacts(**(usual | members)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "see bit.ly/3abc",
        "see https://BIT.LY/3abc now",
        "see ..bit.ly/3abc",
        "see b\u200bit.ly/3abc",
        "see b\u0456t.ly/3abc",
        "see bit\uff0ely/3abc",
        "see bi\u0301t.ly/3abc",
        "see www.tinyurl.com/x",
        "see \u24d1\u24d8\u24e3.ly/x",
        "cannabis for you",
        "CANNABIS",
        "c\u0430nnabis for you",
        "can\u200dna\u00adbis for you",
        "ca\u0336nnabis for you",
        "\U0001d41c\U0001d41a\U0001d427\U0001d427\U0001d41a\U0001d41b\U0001d422\U0001d42c",
        "c4nnab1s for you",
        "Your debt was sold to us",
    ],
)
def test_what_is_never_carried_is_refused_however_it_is_spelt(text: str) -> None:
    """Carriers read the same letters; what they filter costs the tenant its sender."""
    verdict = _verdict(text)
    assert isinstance(verdict, Closed)
    assert verdict.code == "content_refused"
    assert not isinstance(_verdict(text, screen="off"), Closed)
    assert not isinstance(_verdict(text, from_template=True), Closed)


@pytest.mark.parametrize(
    "text",
    [
        "Acme: your code is 123456",
        "Your parcel is here. See acme.com/t/4711 for more.",
        "You have 3 new messages",
        "Ваш код 123456, вы можете войти",
        "\u039f \u03ba\u03c9\u03b4\u03b9\u03ba\u03cc\u03c2 \u03c3\u03b1\u03c2 123456",
        "ご注文の商品を発送しました",
        "Bitly.example.com is ours",
        "Termin um 10.30, bis dann",
        "Meet at pier 39, gate c4s2",
        "",
    ],
)
@pytest.mark.parametrize("screen", ["prohibited", "restricted"])
def test_ordinary_texts_pass(text: str, screen: str) -> None:
    """A screen that stops parcels is switched off by the first tenant."""
    assert not isinstance(_verdict(text, screen=screen), Closed)


@pytest.mark.parametrize(
    ("country", "screen", "refused"),
    [
        ("US", "prohibited", True),
        ("IN", "prohibited", True),
        ("GB", "prohibited", False),
        ("GB", "restricted", True),
        ("US", "off", False),
    ],
)
def test_gambling_is_refused_where_nobody_carries_it(country: str, screen: str, refused: bool) -> None:
    """The same word is a licensed trade in one country and forbidden in the next."""
    assert isinstance(_verdict("Free spins at our casino", country=country, screen=screen), Closed) is refused


@pytest.mark.parametrize(
    ("kind", "country", "refused"),
    [("promotional", "JO", True), ("transactional", "JO", False), ("promotional", "US", False)],
)
def test_a_country_without_promotion_gets_none(kind: str, country: str, refused: bool) -> None:
    """Not as a template either: the sender's registration says so."""
    verdict = _verdict("Hello", country=country, message_type=kind, from_template=True)
    assert isinstance(verdict, Closed) is refused


@pytest.mark.parametrize(
    ("model", "plan", "screen"),
    [
        (1, {}, "off"),
        (2, {}, "prohibited"),
        (4, {"content_screen": "restricted"}, "restricted"),
        (3, {"content_screen": "off"}, "off"),
        (1, {"content_screen": "prohibited"}, "prohibited"),
    ],
)
def test_the_model_decides_what_is_screened_unless_the_plan_says(
    model: int, plan: dict[str, object], screen: str
) -> None:
    """Who sends from an AWS account of its own answers for its texts itself."""
    assert content_screen_of(model, msgspec.convert(plan, Plan)) == screen


@given(st.text(st.characters(codec="ascii"), max_size=60))
def test_the_quick_look_at_words_finds_the_same_words(text: str) -> None:
    """What separates words in ASCII is a table; one character wrong and a listed word hides behind it."""
    folded = fold(text)
    assert content._words(folded) == re.findall(r"\w+", folded)


@given(st.text("aé.bit ly0c1o-/", max_size=40))
def test_the_quick_looks_hide_nothing(text: str) -> None:
    """They may send a text on for nothing, but never let one pass that the whole search would find."""
    folded = fold(text)
    named = [host.name for word in folded.split() for host in hosts(word)]
    assert content._shortener(folded) == next(filter(is_shortener, named), None)
    spelt = re.search(r"[a-z][013457@$]+[a-z]", folded)
    assert (respelt(folded) is None) == (spelt is None)
