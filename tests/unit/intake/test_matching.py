"""A `body` is sent as a template only if it is, to the letter, what the template gives."""

from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.intake.matching import MOST_TRIED, PatternIndex, PatternShelf, matched
from gateway.intake.outcome import Declined
from gateway.intake.request import SendRequest
from gateway.intake.snapshot import ApprovedTemplate
from tenants.templates.rendering import Rendered, Template, parse_template, render
from tenants.templates.variables import Declaration

CODE = {"code": Declaration(kind="digits", max_length=6)}


def approved(
    body: str, declarations: dict[str, Declaration] | None = None, **fields: object
) -> ApprovedTemplate:
    facts: dict[str, object] = {
        "id": UUID(int=1),
        "name": "login",
        "version": 1,
        "type": "otp",
        "countries": frozenset(),
    }
    return ApprovedTemplate(
        template=_parsed(body),
        declarations=CODE if declarations is None else declarations,
        **(facts | fields),
    )


def request(body: str, **fields: object) -> SendRequest:
    return SendRequest(to="+14155550123", body=body, **fields)


def _parsed(body: str) -> Template:
    template = parse_template(body)
    assert isinstance(template, Template)
    return template


def test_a_text_that_a_template_gives_is_that_template() -> None:
    """So the message shows it, and every rule of the template holds for it."""
    login = approved("Acme: your code is {code}")
    assert matched(PatternIndex([login]), request("Acme: your code is 123456"), "US") is login


@pytest.mark.parametrize(
    "text",
    [
        "Acme: your code is 1234567",
        "Acme: your code is",
        "Acme: your code is 12a",
        "acme: your code is 123456",
        "",
    ],
)
def test_another_text_is_refused_and_the_nearest_template_named(text: str) -> None:
    """The author of the text has to find out which template was meant; the text itself is never quoted."""
    outcome = matched(PatternIndex([approved("Acme: your code is {code}")]), request(text), "US")
    assert isinstance(outcome, Declined)
    assert outcome.code == "template_required"
    assert ("login" in outcome.detail) == text.startswith("Acme")
    assert "1234567" not in outcome.detail


def test_a_template_that_is_not_for_the_country_is_no_way_round() -> None:
    """The scope of an approval holds for its text, however it comes in."""
    index = PatternIndex([approved("Acme: your code is {code}", countries=frozenset({"DE"}))])
    outcome = matched(index, request("Acme: your code is 1"), "US")
    assert isinstance(outcome, Declined)
    assert (outcome.code, "login" in outcome.detail) == ("template_not_allowed", True)


def test_a_template_of_another_type_is_no_way_round() -> None:
    """An advertisement does not become a one-time code by saying so."""
    outcome = matched(
        PatternIndex([approved("Acme: 20 off {code}", type="promotional")]),
        request("Acme: 20 off 1", type="otp"),
        "US",
    )
    assert isinstance(outcome, Declined)
    assert outcome.code == "use_case_mismatch"


def test_of_two_that_fit_the_one_that_says_more_wins() -> None:
    """Otherwise a template of one free variable would swallow every other."""
    wide = approved("{text}", {"text": Declaration(max_length=100)}, id=UUID(int=1), name="wide")
    exact = approved("Acme: your code is {code}", id=UUID(int=2), name="exact")
    assert matched(PatternIndex([wide, exact]), request("Acme: your code is 1"), "US") is exact
    assert matched(PatternIndex([wide, exact]), request("Something else"), "US") is wide


def test_a_newer_version_of_the_same_words_wins() -> None:
    """What a send gets that names none."""
    versions = [approved("Acme {code}", version=number) for number in (1, 3, 2)]
    assert matched(PatternIndex(versions), request("Acme 1"), "US") is versions[1]


def test_every_language_of_a_template_is_its_text() -> None:
    """A variant is approved with its template."""
    login = approved("Acme: your code is {code}", variants={"de": _parsed("Acme: Ihr Code ist {code}")})
    assert matched(PatternIndex([login]), request("Acme: Ihr Code ist 12"), "DE") is login


@pytest.mark.parametrize(
    "body", ["Acme {number} says {code}", "{code} from Acme {number}", "Acme: item {number} for {code}."]
)
def test_a_template_is_found_among_thousands_of_its_kind(body: str) -> None:
    """Same beginning, same end, or both: a tenant's templates are alike."""
    index = PatternIndex(
        approved(body.replace("{number}", str(number)), id=UUID(int=number)) for number in range(3000)
    )
    found = matched(index, request(body.replace("{number}", "2718").replace("{code}", "42")), "US")
    assert isinstance(found, ApprovedTemplate)
    assert found.id == UUID(int=2718)


def test_no_more_than_a_bounded_number_of_patterns_is_tried() -> None:
    """Refusing is the safe side of a text that fits too much."""
    several = [
        approved(
            "{a}{b}", {"a": Declaration(kind="digits"), "b": Declaration(kind="date")}, id=UUID(int=number)
        )
        for number in range(MOST_TRIED)
    ]
    last = approved("{c}{d}", {}, id=UUID(int=9999))
    assert list(PatternIndex([*several, last]).matches("some text")) == []


def test_an_index_is_built_once_for_the_same_versions() -> None:
    """A snapshot is read every half minute; its templates change once a week."""
    shelf, first = PatternShelf(), [approved("Acme {code}")]
    index = shelf.of(UUID(int=7), first)
    assert shelf.of(UUID(int=7), list(first)) is index
    assert shelf.of(UUID(int=7), [approved("Acme {code}", version=2)]) is not index


_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_KINDS = {
    "digits": st.text("0123456789", min_size=1, max_size=8),
    "amount": st.integers(-10_000, 10_000).map(lambda cents: f"{cents / 100:.2f}"),
    "date": st.dates().map(lambda day: f"{day:%d.%m}.{day.year:04}"),
    "url": st.text(_LETTERS, min_size=1, max_size=20).map("https://acme.example/".__add__),
    "text": st.one_of(
        st.text(_LETTERS + "ABCXYZ '-&()!?", min_size=1, max_size=30).filter(str.strip),
        st.sampled_from(
            ["Zo\u00eb", "\u0418\u0432\u0430\u043d \u041f\u0435\u0442\u0440\u043e\u0432", "\u5c71\u7530 Taro",
             "\u0645\u062d\u0645\u062f", "No. 7, gate B", "Mme Lef\u00e8vre"]
        ),
    ),
}  # fmt: skip
_LITERALS = st.sampled_from(
    [
        ", Acme: ",
        " is your code. ",
        ", arrives ",
        "; ",
        " - ",
        "\n",
        " / ",
        ": see ",
        " (ref ",
        ") ",
        " Reply STOP: ",
    ]
)
_PLACES = st.lists(st.tuples(_LITERALS, st.sampled_from(sorted(_KINDS))), min_size=1, max_size=4)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(places=_PLACES, data=st.data())
def test_whatever_a_template_gives_is_recognised_as_it(
    places: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Twenty texts of each of 500 templates: none of the 10,000 honest ones is refused."""
    body = "".join(f"{literal}{{v{place}}}" for place, (literal, _) in enumerate(places)) + "."
    kinds = {f"v{place}": kind for place, (_, kind) in enumerate(places)}
    declarations = {name: Declaration(kind=kind, max_length=41) for name, kind in kinds.items()}
    template = approved(body, declarations)
    index = PatternIndex([template])
    drawn = {
        name: data.draw(st.lists(_KINDS[kind], min_size=4, max_size=4), label=name)
        for name, kind in kinds.items()
    }
    for turn in range(20):
        values = {
            name: several[(turn // (place + 1)) % 4] for place, (name, several) in enumerate(drawn.items())
        }
        rendered = render(template.template, declarations, values)
        assert isinstance(rendered, Rendered), rendered
        assert matched(index, request(rendered.text), "US") is template
