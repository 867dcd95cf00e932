"""A body is parsed once; values fill its places and the worst of them is known beforehand."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission.segments import measure
from tenants.templates.matching import match
from tenants.templates.rendering import (
    MAX_PLACES,
    Rendered,
    RenderFaults,
    Template,
    TemplateFaults,
    check_declarations,
    parse_template,
    render,
    worst_case,
)
from tenants.templates.variables import ALLOWED, DEFAULT, LONGEST, SHORTEST, Declaration, check_value

CODE = {"code": Declaration(kind="digits", max_length=6)}


def _template(body: str) -> Template:
    template = parse_template(body)
    assert isinstance(template, Template), template
    return template


def _text(outcome: Rendered | RenderFaults) -> str:
    assert isinstance(outcome, Rendered), outcome
    return outcome.text


def test_a_body_is_split_into_literals_and_places():
    """The shape everything else relies on: one literal more than places."""
    template = _template("Acme: {code} for {name}. {code}")
    assert template.literals == ("Acme: ", " for ", ". ", "")
    assert template.slots == ("code", "name", "code")
    assert template.variables == ("code", "name")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{{x}}}", "{V}"),
        ("{{x}}", "{x}"),
        ("{{{{x}}}}", "{{x}}"),
        ("a }} b {{ {x}", "a } b { V"),
        ("{x}{x}", "VV"),
        ("no place", "no place"),
    ],
)
def test_doubled_braces_stand_for_themselves(body: str, text: str):
    """As in Python's own format strings, which most authors know."""
    template = _template(body)
    assert _text(render(template, {}, dict.fromkeys(template.variables, "V"))) == text


@pytest.mark.parametrize(
    ("body", "code", "position"),
    [
        ("", "body_empty", None),
        (" \n ", "body_empty", None),
        ("a" * 1601, "body_too_long", None),
        ("a { b", "unbalanced_brace", 2),
        ("a } b", "unbalanced_brace", 2),
        ("a {b{c}", "unbalanced_brace", 2),
        ("{}", "bad_name", 0),
        ("{Code}", "bad_name", 0),
        ("{ code }", "bad_name", 0),
        ("{code\n}", "bad_name", 0),
        ("{1code}", "bad_name", 0),
        ("{code!r}", "bad_name", 0),
        ("{code.__class__}", "bad_name", 0),
        ("{code[0]}", "bad_name", 0),
        ("{code:>9}", "bad_name", 0),
        ("{\u0441ode}", "bad_name", 0),
        ("{" + "a" * 41 + "}", "bad_name", 0),
        ("{a}" * (MAX_PLACES + 1), "too_many_variables", None),
        ("a\x00", "forbidden_character", 1),
        ("a\tb", "forbidden_character", 1),
        ("Ac\u200bme", "forbidden_character", 2),
        ("Ac\u200dme", "forbidden_character", 2),
        ("\u202eemcA", "forbidden_character", 0),
        ("tag\U000e0041", "forbidden_character", 3),
        ("half \ud83d", "forbidden_character", 5),
        ("\ue000", "forbidden_character", 0),
        ("Your \u0410cme code", "forbidden_character", 5),
        ("{code}\u0338 off", "forbidden_character", None),
    ],
)
def test_a_faulty_body_is_refused_with_its_place(body: str, code: str, position: int | None):
    """The author sees what to change without trying again and again."""
    outcome = parse_template(body)
    assert isinstance(outcome, TemplateFaults)
    assert (outcome.faults[0].code, outcome.faults[0].position) == (code, position)


def test_every_fault_of_a_body_is_reported_at_once():
    """One round trip per mistake would be one too many."""
    outcome = parse_template("{A} {b \x00")
    assert isinstance(outcome, TemplateFaults)
    assert [fault.code for fault in outcome.faults] == ["bad_name", "unbalanced_brace", "forbidden_character"]


@pytest.mark.parametrize(
    "body",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 {code}",
        "\u0915\u094d\u200d\u0937 {code}",
        "Thanks \u2764\ufe0f \U0001f469\u200d\U0001f4bb {name}",
        "line\r\nline {code}",
        "\u03a3\u03cd\u03bc\u03b2\u03bf\u03bb\u03bf {code}",
    ],
)
def test_scripts_that_need_joiners_can_be_written(body: str):
    """Persian, Hindi and emoji are written with joiners; refusing them would refuse the language."""
    assert isinstance(parse_template(body), Template)


def test_a_body_is_composed_before_it_is_kept():
    """Decomposed accents would cost UCS-2 for nothing."""
    assert _template("cafe\u0301 {code}").literals[0] == "café "


def test_declarations_must_fit_the_body_and_the_bounds():
    """A typing slip in a name would otherwise leave the variable at its default."""
    faults = check_declarations(
        _template("{code} {link}"),
        {
            "code": Declaration(max_length=0),
            "link": Declaration(kind="url", max_length=8),
            "cod": Declaration(max_length=501),
        },
    )
    assert [(fault.field, fault.code) for fault in faults] == [
        ("/variables/code", "max_length"),
        ("/variables/link", "max_length"),
        ("/variables/cod", "not_in_body"),
        ("/variables/cod", "max_length"),
    ]
    assert check_declarations(_template("{code}"), CODE) == ()


def test_missing_and_surplus_values_are_both_named():
    """The sender's program has a bug; the refusal points at it."""
    outcome = render(_template("{code} {name}"), CODE, {"code": "1", "nmae": "x", "a/b~c": 1})
    assert isinstance(outcome, RenderFaults)
    assert [(fault.field, fault.code) for fault in outcome.faults] == [
        ("/template/variables/name", "missing"),
        ("/template/variables/a~1b~0c", "surplus"),
        ("/template/variables/nmae", "surplus"),
    ]


def test_a_surplus_name_from_outside_is_made_safe_to_answer():
    """It goes into JSON and into a log line."""
    outcome = render(_template("x"), {}, {"\ud800\r\n" + "y" * 500: 1})
    assert isinstance(outcome, RenderFaults)
    assert outcome.faults[0].field.isascii()
    assert len(outcome.faults[0].field) < 120


def test_the_number_of_faults_in_an_answer_is_bounded():
    """A body of thousands of names must not come back thousandfold."""
    outcome = render(_template("x"), {}, {f"n{number}": 1 for number in range(5000)})
    assert isinstance(outcome, RenderFaults)
    assert len(outcome.faults) == 50


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", "Zo\u0065\u0308", "Zo\u00eb"),
        ("text", "{code}", "{code}"),
        ("text", "3:30 / 4:30", "3:30 / 4:30"),
        ("text", "\u738b\u5c0f\u660e \U0001f600", "\u738b\u5c0f\u660e \U0001f600"),
        ("digits", "0042", "0042"),
        ("digits", 42, "42"),
        ("amount", "1,234.50", "1,234.50"),
        ("amount", "1.234,50", "1.234,50"),
        ("amount", -12, "-12"),
        ("amount", 12.5, "12.5"),
        ("date", "2028-02-29", "2028-02-29"),
        ("date", "31/12/2026 23:59", "31/12/2026 23:59"),
        ("date", "12/31/2026", "12/31/2026"),
        ("date", "31.12.2026", "31.12.2026"),
        ("url", "https://acme.example/a?b=c#d", "https://acme.example/a?b=c#d"),
        ("url", "https://acme.example:8443", "https://acme.example:8443"),
        ("url", "https://acme.example/@user/~x", "https://acme.example/@user/~x"),
    ],
)
def test_a_value_of_its_kind_is_filled_in(kind, value, text: str):
    """What each kind is for."""
    assert check_value("v", Declaration(kind=kind), value) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 5), ("text", None), ("text", ["a"]), ("text", {"a": 1}), ("text", True), ("text", 1.5),
        ("digits", True), ("digits", 1.0), ("digits", None), ("digits", 10**18), ("digits", 10**400),
        ("amount", False), ("amount", float("nan")), ("amount", float("inf")), ("amount", -(10**18)),
        ("url", 1), ("date", 20261121),
    ],
)  # fmt: skip
def test_other_json_types_are_not_text(kind, value):
    """Numbers stand only for digits and amounts, and only where their spelling is certain."""
    assert _code_of(kind, value) == "not_text"


def _code_of(kind, value, max_length: int = 40) -> str:
    outcome = check_value("v", Declaration(kind=kind, max_length=max_length), value)
    return "accepted" if isinstance(outcome, str) else outcome.code


def test_length_is_counted_after_composition():
    """Two spellings of one name have one length."""
    assert _code_of("text", "e\u0301" * 40) == "accepted"
    assert _code_of("text", "\u0958" * 20) == "accepted"
    assert _code_of("text", "\u0958" * 21) == "too_long"
    assert _code_of("text", "a" * 41) == "too_long"
    assert _code_of("text", "e\u0301" * 5000) == "too_long"


def test_no_fault_quotes_the_value():
    """A one-time code in an error is a one-time code in a log."""
    for kind in ALLOWED:
        fault = check_value("v", Declaration(kind=kind, max_length=12), "secret\x07 7391 secret")
        assert not isinstance(fault, str)
        assert "secret" not in fault.detail
        assert "7391" not in fault.detail


def test_the_shortest_and_longest_values_are_accepted():
    """The bounds used for pricing and for declarations are the real ones."""
    shortest = {"text": "a", "digits": "1", "url": "https://a.bc", "date": "2026-11-21", "amount": "1"}
    for kind, length in SHORTEST.items():
        assert len(shortest[kind]) == length
        assert _code_of(kind, shortest[kind]) == "accepted"
    assert len("2026-11-21 15:30") == LONGEST["date"]
    assert _code_of("amount", "-123,123,123,123,123.1234") == "accepted"
    assert len("-123,123,123,123,123.1234") == LONGEST["amount"]


@pytest.mark.parametrize(
    ("body", "declarations", "expected"),
    [
        ("Your code is {code}", CODE, (1, "GSM", 19)),
        ("a" * 154 + "{code}", CODE, (1, "GSM", 160)),
        ("a" * 155 + "{code}", CODE, (2, "GSM", 161)),
        ("a" * 300 + "{code}", CODE, (2, "GSM", 306)),
        ("€" * 77 + "{code}", CODE, (1, "GSM", 83)),
        ("ж" * 64 + "{code}", CODE, (1, "UNICODE", 70)),
        ("ж" * 65 + "{code}", CODE, (2, "UNICODE", 71)),
        ("Hi {name}", {}, (2, "UNICODE", 43)),
        ("{u}", {"u": Declaration(kind="url", max_length=86)}, (1, "GSM", 86)),
        ("{u}", {"u": Declaration(kind="url", max_length=87)}, (2, "GSM", 87)),
        ("{d}", {"d": Declaration(kind="date", max_length=400)}, (1, "GSM", 16)),
    ],
)
def test_the_worst_case_of_a_template(body: str, declarations, expected):
    """What the operator sees at approval and the plan's price bound."""
    worst = worst_case(_template(body), declarations)
    assert (worst.parts, worst.encoding, worst.characters) == expected


_KINDS = ("text", "digits", "url", "date", "amount")
_LITERAL_ALPHABET = "abcXYZ 0123,.:/-~€{}éж\U0001f600\n"
_VALUE_ALPHABET = "abc 0,.:/-~€{}éжλ漢\U0001f600"
_declarations = st.builds(Declaration, kind=st.sampled_from(_KINDS), max_length=st.integers(12, 60))


@st.composite
def _value(draw: st.DrawFn, declaration: Declaration) -> object:
    """Any allowed value, leaning to the longest ones."""
    length = draw(st.sampled_from((1, 2, declaration.max_length)))
    if declaration.kind == "text":
        return draw(st.text(_VALUE_ALPHABET, min_size=length, max_size=declaration.max_length))
    if declaration.kind == "digits":
        return draw(st.text("0123456789", min_size=length, max_size=declaration.max_length))
    if declaration.kind == "url":
        path = draw(st.text("~a/?=:", max_size=max(0, declaration.max_length - 13)))
        return f"https://a.bc/{path}" if path else "https://a.bc"
    if declaration.kind == "date":
        day = draw(st.dates())
        forms = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
        return draw(st.sampled_from([_dated(day, form) for form in forms]))
    return draw(st.sampled_from(("1", "-12.50", "1,234.50", "1.234,5", "123456", 7, 12.5)))


def _dated(day, form: str) -> str:
    """`strftime` drops the leading zeros of early years on some platforms."""
    return (
        form.replace("%Y", f"{day.year:04}").replace("%m", f"{day.month:02}").replace("%d", f"{day.day:02}")
    )


@st.composite
def _filled_template(draw: st.DrawFn):
    """A template, its declarations and values that its variables allow one by one."""
    names = draw(st.lists(st.sampled_from(("a", "b", "c", "d")), max_size=5))
    body = draw(st.text(_LITERAL_ALPHABET, max_size=90))
    body = body.replace("{", "{{").replace("}", "}}")
    for name in names:
        body += f"{{{name}}}" + draw(st.text("abc ~,.:/€ж", max_size=40))
    declarations = {name: draw(_declarations) for name in set(names) if draw(st.booleans())}
    values = {name: draw(_value(declarations.get(name, DEFAULT))) for name in set(names)}
    return body or "x", declarations, values


@given(_filled_template())
@settings(max_examples=1500, deadline=None)
def test_allowed_values_never_exceed_the_worst_case(filled):
    """The worst case is what the price bound and the plan's part limit rest on."""
    body, declarations, values = filled
    template = parse_template(body)
    if not isinstance(template, Template):
        return
    outcome = render(template, declarations, values)
    if isinstance(outcome, Rendered) and outcome.text:
        worst = worst_case(template, declarations)
        real = measure(outcome.text)
        assert real.parts <= worst.parts
        assert len(outcome.text) <= worst.characters
        assert worst.encoding == "UNICODE" or real.encoding == "GSM"


@given(_filled_template())
@settings(max_examples=1500, deadline=None)
def test_a_rendered_text_matches_its_template_and_renders_to_itself_again(filled):
    """Free text is as good as a template send; only a body whose names return may prove too ambiguous."""
    body, declarations, values = filled
    template = parse_template(body)
    if not isinstance(template, Template):
        return
    outcome = render(template, declarations, values)
    if isinstance(outcome, Rendered):
        found = match(template, declarations, outcome.text)
        if found is None:
            assert len(set(template.slots)) < len(template.slots)
            return
        assert render(template, declarations, found) == outcome


@given(_filled_template(), st.text(_VALUE_ALPHABET + "\u202e\u200b", max_size=120))
@settings(max_examples=500, deadline=None)
def test_whatever_matches_could_have_been_rendered(filled, text: str):
    """A match is a proof, not a guess."""
    body, declarations, _ = filled
    template = parse_template(body)
    if isinstance(template, Template):
        found = match(template, declarations, text)
        assert found is None or render(template, declarations, found) == Rendered(text=text)


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=500, deadline=None)
def test_no_body_makes_the_parser_raise(body: str):
    """Faults are values, whatever the body."""
    assert isinstance(parse_template(body), Template | TemplateFaults)


def test_values_are_read_back_from_free_text():
    """Earlier places take the shorter values."""
    template = _template("{shop}: order {number} of {day} ships to {name}")
    declarations = {
        "number": Declaration(kind="digits", max_length=8),
        "day": Declaration(kind="date"),
    }
    text = "Acme: Ltd: order 0042 of 2026-11-21 15:30 ships to Ana ships to Bo"
    assert match(template, declarations, text) == {
        "shop": "Acme: Ltd",
        "number": "0042",
        "day": "2026-11-21 15:30",
        "name": "Ana ships to Bo",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Acme: your code is 1234567",
        "Acme: your code is 12345a",
        "Acme: your code is ",
        "Acme: your code is 123456.",
        " Acme: your code is 123456",
        "acme: your code is 123456",
        "Acme: your code is 123456\n",
        "\u0410cme: your code is 123456",
        "Acme: your c\u200bode is 123456",
        "Acme: your code is \u0661\u0662\u0663",
        "Acme:\u00a0your code is 123456",
        "Acme: your code is 123456 Acme: your code is 123456",
        "",
    ],
)
def test_a_text_that_differs_anywhere_does_not_match(text: str):
    """Exact means exact: not trimmed, not case-folded, not normalised."""
    assert match(_template("Acme: your code is {code}"), CODE, text) is None


def test_a_name_that_returns_must_return_with_its_value():
    """`{code}` twice is one code said twice."""
    template = _template("{code} is {code}")
    assert match(template, CODE, "12 is 12") == {"code": "12"}
    assert match(template, CODE, "12 is 13") is None


def test_a_body_without_places_matches_itself_only():
    """The degenerate template."""
    assert match(_template("Hello {{you}}"), {}, "Hello {you}") == {}
    assert match(_template("Hello {{you}}"), {}, "Hello {you}!") is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{a}" * 20, "x" * 801),
        (" ".join(f"{{v{number}}}" for number in range(20)), "x " * 799 + "\n"),
        (" ".join(f"{{v{number}}}" for number in range(20)), "x " * 400 + "http://"),
        ("".join(f"{{v{number}}}" for number in range(20)) + "!", "://" * 250 + "!"),
        ("{a} {b} {a} {b} {a} {b} {a} {b}", "a " * 400),
        ("{a}{b}{c}{d}{a}{b}{c}{d}", "ab" * 200 + "c"),
    ],
)
def test_an_adversary_cannot_buy_time_with_a_text(body: str, text: str):
    """Ambiguous bodies and long texts blow up a backtracking pattern; here the work is bounded."""
    template = _template(body)
    declarations = {name: Declaration(max_length=500) for name in template.variables}
    started = time.process_time()
    match(template, declarations, text)
    assert time.process_time() - started < 5
