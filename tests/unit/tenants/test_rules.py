"""The small pure rules of the tenants' features: what may be written, and from where to where."""

import pytest

from tenants.accounts import lifecycle
from tenants.accounts.enrolment import NewTenant, check_countries, check_new_tenant
from tenants.accounts.plan import Plan
from tenants.endpoints.subscription import check_events, check_url, wants
from tenants.errors import Conflict, InvalidInput
from tenants.optouts.lists import check_list, check_number, stops
from tenants.templates import authoring
from tenants.templates.authoring import Wording, check_wording
from tenants.templates.variables import Declaration


def new_tenant(**changes: object) -> NewTenant:
    fields = {"name": "Acme", "slug": "acme", "model": 2, "countries": ["US"]}
    return NewTenant(**(fields | changes))


@pytest.mark.parametrize("slug", ["", "a", "A-b", "a_b", "a" * 41, "acme\n", "ácme"])
def test_a_slug_is_short_and_plain(slug: str) -> None:
    """It becomes part of names on AWS and of addresses."""
    with pytest.raises(InvalidInput) as refusal:
        check_new_tenant(new_tenant(slug=slug))
    assert refusal.value.field == "/slug"


@pytest.mark.parametrize("name", ["", "   ", "a" * 201, "two\nlines"])
def test_a_name_is_one_visible_line(name: str) -> None:
    """It is shown in lists and in mails."""
    with pytest.raises(InvalidInput) as refusal:
        check_new_tenant(new_tenant(name=name))
    assert refusal.value.field == "/name"


@pytest.mark.parametrize("model", [0, 7, -1])
def test_there_are_six_models(model: int) -> None:
    """The table's CHECK says the same."""
    with pytest.raises(InvalidInput) as refusal:
        check_new_tenant(new_tenant(model=model))
    assert refusal.value.field == "/model"


@pytest.mark.parametrize("code", ["us", "USA", "ZZ", "", "CU", "KP"])
def test_a_country_is_one_that_aws_sends_to(code: str) -> None:
    """A country that cannot be reached on the allow-list would be a promise."""
    with pytest.raises(InvalidInput) as refusal:
        check_countries(["US", code])
    assert refusal.value.field == "/countries/1"


def test_countries_are_kept_once_and_in_order() -> None:
    """So that the same set is the same row, and no change is no new version."""
    assert check_countries(["US", "CA", "US"]) == ["CA", "US"]


def test_a_plan_is_proven_even_if_python_made_it() -> None:
    """A struct built in code skips msgspec's bounds; the database must not get it so."""
    with pytest.raises(InvalidInput) as refusal:
        check_new_tenant(new_tenant(plan=Plan(weight=0)))
    assert refusal.value.field == "/plan/weight"


def test_a_closed_tenant_stays_closed_and_a_repeated_command_is_no_error() -> None:
    """Closing is for good; saying a thing twice is not a mistake."""
    for state in lifecycle.MOVES:
        lifecycle.check_move(state, state)
    lifecycle.check_move("suspended", "active")
    with pytest.raises(Conflict):
        lifecycle.check_move("closed", "active")


@pytest.mark.parametrize("name", ["", " x", "x ", "tpl_1", "a" * 101, "a/b", "a\nb"])
def test_a_template_name_cannot_be_taken_for_an_id(name: str) -> None:
    """A send says `id` or `name`, and people mix them up."""
    with pytest.raises(InvalidInput):
        authoring.check_name(name)


@pytest.mark.parametrize("name", ["login-code", "Order shipped", "otp_2.v1"])
def test_ordinary_template_names_pass(name: str) -> None:
    """The names people give."""
    assert authoring.check_name(name) == name


def test_every_variable_of_a_body_is_declared_in_the_end() -> None:
    """What a reviewer approves says what each place may hold."""
    declared = Declaration(kind="digits", max_length=6)
    wording = Wording(body="{code} for {name}", type="otp", variables={"code": declared})
    assert check_wording(wording).variables == {"code": declared, "name": Declaration()}


@pytest.mark.parametrize(
    ("wording", "field"),
    [
        (Wording(body="", type="otp"), "/body"),
        (Wording(body="{oops", type="otp"), "/body"),
        (Wording(body="x", type="otp", variables={"code": Declaration()}), "/variables/code"),
        (Wording(body="x", type="gossip"), "/type"),
        (Wording(body="x", type="otp", countries=["XX"]), "/countries/0"),
    ],
)
def test_a_wording_that_cannot_be_sent_names_its_fault(wording: Wording, field: str) -> None:
    """The author fixes what is named."""
    with pytest.raises(InvalidInput) as refusal:
        check_wording(wording)
    assert refusal.value.field == field


def test_a_version_moves_forward_only() -> None:
    """What was rejected is written anew, not approved on second thought."""
    authoring.check_move("draft", "submitted")
    authoring.check_move("submitted", "approved")
    for present in ("draft", "approved", "rejected", "retired"):
        with pytest.raises(Conflict):
            authoring.check_move(present, "approved")


@pytest.mark.parametrize(
    ("lists", "message_type", "stopped"),
    [
        ({"all"}, "otp", True),
        ({"promotional"}, "promotional", True),
        ({"promotional"}, "otp", False),
        ({"weekly-news"}, "promotional", False),
        (set[str](), "promotional", False),
    ],
)
def test_a_list_stops_its_own_use_case_and_all_stops_everything(
    lists: set[str], message_type: str, stopped: bool
) -> None:
    """Who is tired of offers still wants the login code."""
    assert stops(lists, message_type) is stopped


@pytest.mark.parametrize("name", ["", "All", "a" * 41, "a b", "all\n"])
def test_a_list_has_a_plain_name(name: str) -> None:
    """It stands in addresses."""
    with pytest.raises(InvalidInput):
        check_list(name)


@pytest.mark.parametrize("number", ["", "12065550100", "+0123456789", "+1206", "+1" * 20, "+12065550100\n"])
def test_an_opt_out_takes_e164_only(number: str) -> None:
    """Two spellings of one number would be two people."""
    with pytest.raises(InvalidInput):
        check_number(number)


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://a.example/", "https://", "https:///path", "https://user:pw@a.example/", "//a.example",
        "https://a.example/#part", "https://a.example/ b", "https://a.example/\n", "https://[::1", "a" * 3000,
        "https://a.example:99999/", "https://a.example:0/", "https://ä.example/",
    ],
)  # fmt: skip
def test_an_endpoint_url_without_a_plain_target_is_refused(url: str) -> None:
    """Each of these would be read differently by two parsers."""
    with pytest.raises(InvalidInput) as refusal:
        check_url(url)
    assert refusal.value.field == "/url"


def test_an_endpoint_url_may_have_port_path_and_query() -> None:
    """What receivers really use; whether the address may be called is decided at the call."""
    assert check_url("https://hooks.acme.example:8443/sms?v=1") == "https://hooks.acme.example:8443/sms?v=1"


def test_an_endpoint_without_events_wants_all() -> None:
    """Also those that are invented later."""
    assert wants([], "message.sent")
    assert wants(["message.sent"], "message.sent")
    assert not wants(["message.sent"], "message.failed")


def test_event_types_have_one_form() -> None:
    """A sentence is not an event."""
    assert check_events(["message.sent", "message.failed", "message.sent"]) == [
        "message.failed",
        "message.sent",
    ]
    with pytest.raises(InvalidInput) as refusal:
        check_events(["message.sent", "everything please"])
    assert refusal.value.field == "/events/1"
