"""The linter finds what an approver would object to, and leaves honest templates alone."""

import pytest

from tenants.errors import InvalidInput
from tenants.templates.authoring import Variant, Wording, check_wording
from tenants.templates.compliance import Audience, lint, needs_a_person
from tenants.templates.findings import Finding
from tenants.templates.library import library, wording_of
from tenants.templates.locales import pick
from tenants.templates.use_cases import OF_TYPE, registered
from tenants.templates.variables import Declaration

GERMAN = Variant(locale="de", body="{code}")
HIDDEN = Variant(locale="de", body="{code}\u200b")
SHORTENED = Declaration(kind="url", hosts=("bit.ly",))
PLAIN = "transactional"
CODE = {"code": Declaration(kind="digits", max_length=6)}
HOME = {"link": Declaration(kind="url", max_length=60, hosts=("acme.com",))}
ORDER = {"order": Declaration(kind="digits")}
SHORT = {"code": Declaration(max_length=8)}
URL = {"link": Declaration(kind="url", max_length=60)}


def findings(
    body: str, kind: str = PLAIN, countries: tuple[str, ...] = ("US",), **fields: object
) -> dict[str, Finding]:
    wording = check_wording(Wording(**({"body": body, "type": kind} | fields)))
    found = lint(wording, Audience(brands=("Acme Retail Ltd",), countries=frozenset(countries)))
    return {each.code: each for each in found}


@pytest.mark.parametrize(
    ("body", "kind", "fields", "code", "severity"),
    [
        ("Your order is on its way", PLAIN, {}, "brand_missing", "review"),
        ("{name}: your order is on its way today", PLAIN, {}, "brand_missing", "review"),
        ("Acme: come and see our new shop", "promotional", {}, "opt_out_missing", "review"),
        ("Acme: welcome to the club", "otp", {}, "otp_without_code", "error"),
        ("Acme: your code is {code}", "otp", {}, "code_unbounded", "review"),
        ("Acme: {code}", "otp", {"variables": SHORT}, "code_not_digits", "notice"),
        ("Acme: {code} or go to https://acme.com/login", "otp", {"variables": CODE}, "link_in_otp", "review"),
        ("Acme: {code} {link}", "otp", {"variables": CODE | URL}, "link_in_otp", "review"),
        ("Acme: see bit.ly/3xYz", PLAIN, {}, "shortener", "error"),
        ("Acme: see https://TinyURL.com/abc", PLAIN, {}, "shortener", "error"),
        ("Acme: see www.rebrand.ly/abc", PLAIN, {}, "shortener", "error"),
        ("Acme: track your order at {link}", PLAIN, {"variables": URL}, "link_to_anywhere", "review"),
        ("Acme: your order is at https://acme.com{path}", PLAIN, {}, "link_runs_on", "review"),
        ("Acme: 20 % discount on your next order", PLAIN, {}, "promotional_words", "review"),
        ("Acme: a sale. Reply STOP", "promotional", {"countries": ["JO"]}, "promotion_forbidden", "error"),
        ("Acme: your order is paid", PLAIN, {"countries": ["IN"]}, "template_id_needed", "notice"),
        ("Acme: CBD oil is back. Reply STOP", "promotional", {}, "prohibited_content", "error"),
        ("Acme: the casino is open. Reply STOP", "promotional", {}, "restricted_content", "review"),
        ("Acme: {text}", PLAIN, {}, "says_anything", "review"),
        ("Acme: your or\u1d48er is ready to be fetched", PLAIN, {}, "compatibility_characters", "review"),
        ("Acme: der Pr\u00e4zisionsgriff kostet 5 \u20b9", PLAIN, {}, "not_gsm", "notice"),
        ("Acme: " + "x" * 600, PLAIN, {}, "several_parts", "notice"),
        ("Acme: " + "x" * 1540, PLAIN, {}, "too_long", "review"),
    ],
)  # fmt: skip
def test_each_rule_finds_what_it_is_for(body: str, kind: str, fields: dict, code: str, severity: str) -> None:
    """Every finding names its fix."""
    found = findings(body, kind, **fields)
    assert found[code].severity == severity
    assert found[code].detail
    assert found[code].fix


@pytest.mark.parametrize(
    ("body", "kind", "fields"),
    [
        ("Acme: your code is {code}. Do not share it.", "otp", {"variables": CODE}),
        ("Acme Retail: order {order} left our house", PLAIN, {"variables": ORDER}),
        ("ACME: 20 percent off today. Reply STOP to end", "promotional", {}),
        ("Acme: angebote der Woche. STOP beendet", "promotional", {"countries": ["DE"]}),
        ("Acme: see https://acme.com/t/{id}", PLAIN, {"variables": {"id": Declaration(max_length=10)}}),
        ("Acme: track it at {link}", PLAIN, {"variables": HOME}),
    ],
)  # fmt: skip
def test_an_honest_template_needs_nobody(body: str, kind: str, fields: dict) -> None:
    """A linter that cries wolf is switched off."""
    wording = check_wording(Wording(**({"body": body, "type": kind} | fields)))
    found = lint(wording, Audience(brands=("Acme Retail Ltd",), countries=frozenset({"US"})))
    assert not needs_a_person(found), found


def test_no_rule_asks_for_an_opt_out_where_the_country_does_not() -> None:
    """Rules of countries hold in these countries."""
    assert "opt_out_missing" not in findings("Acme: come and see our shop", "promotional", ("AE",))


def test_every_language_is_read() -> None:
    """A variant could otherwise say what the body may not."""
    variants = [Variant(locale="de", body="Kommen Sie heute zu bit.ly/abc")]
    found = findings("Acme: your order is ready", variants=variants)
    assert {found[code].locale for code in ("shortener", "brand_missing")} == {"de"}


@pytest.mark.parametrize("chosen", [each.id for each in library()])
@pytest.mark.parametrize("brand", ["Acme", "B{r}ace & Sons", "Caf\u00e9 du Nord SARL"])
def test_the_whole_library_passes_the_linter_wherever_it_goes(chosen: str, brand: str) -> None:
    """What we hand out must be approvable by the machine, for any brand."""
    wording = check_wording(wording_of(chosen, brand=brand, countries=[]))
    found = lint(
        wording, Audience(brands=(brand,), countries=frozenset({"US", "DE", "GB", "FR", "ES", "AU"}))
    )
    assert not needs_a_person(found), found


def test_the_library_has_what_most_tenants_begin_with() -> None:
    """One-time codes, reminders, shipping, accounts, marketing."""
    assert {"otp", "reminder", "shipping", "account", "marketing"} <= {each.id for each in library()}
    with pytest.raises(InvalidInput) as refusal:
        wording_of("poetry", brand="Acme", countries=[])
    assert refusal.value.field == "/from_library"


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"use_case": "marketing"}, "/use_case", "invalid_use_case"),
        ({"locale": "english"}, "/locale", "invalid_locale"),
        ({"variants": [Variant(locale="DE", body="{code}")]}, "/variants/0/locale", "invalid_locale"),
        ({"variants": [GERMAN, GERMAN]}, "/variants/1/locale", "repeated_locale"),
        ({"locale": "de", "variants": [GERMAN]}, "/variants/0/locale", "repeated_locale"),
        ({"variants": [Variant(locale="de", body="{kode}")]}, "/variants/0/body", "other_variables"),
        ({"variants": [Variant(locale="de", body="ohne")]}, "/variants/0/body", "other_variables"),
        ({"variants": [HIDDEN]}, "/variants/0/body", "forbidden_character"),
        ({"variables": {"code": Declaration(hosts=("acme.com",))}}, "/variables/code/hosts", "hosts"),
        ({"variables": {"code": SHORTENED}}, "/variables/code/hosts", "hosts"),
        ({"variables": {"code": Declaration(kind="url", hosts=())}}, "/variables/code/hosts", "hosts"),
        ({"variables": {"code": Declaration(kind="url", hosts=("acme",))}}, "/variables/code/hosts", "hosts"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(fields: dict, field: str, code: str) -> None:
    """By its place, before the linter reads a word."""
    with pytest.raises(InvalidInput) as refusal:
        check_wording(Wording(**({"body": "Acme: {code}", "type": "otp"} | fields)))
    assert (refusal.value.field, refusal.value.code) == (field, code)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("pt", "pt-BR"),
        ("pt-PT", None),
        ("zh-Hant-TW", "zh-Hant"),
        ("fr", None),
    ],
)
def test_the_nearest_language_is_picked(wanted: str, found: str | None) -> None:
    """And none rather than another country's."""
    assert pick({"de", "pt-BR", "zh-Hant"}, wanted) == found


def test_use_cases_are_the_registrations() -> None:
    """A sender registered in AWS's words fits templates in ours; a collective one fits all."""
    assert registered(["2FA", "marketing", "CUSTOMER_CARE"]) == {"otp", "marketing", "customer_care"}
    assert registered(["MIXED", "2FA"]) == frozenset()
    assert registered([]) == frozenset()
    assert all(OF_TYPE.values())
