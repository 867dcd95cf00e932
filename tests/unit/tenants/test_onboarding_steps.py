"""The checklist of an onboarding, from answers and facts alone."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.advice.facts import KINDS, unavailable
from tenants.countries.facts import by_iso
from tenants.onboarding.relationship import registrant_of
from tenants.onboarding.steps import STEPS, Answers, Facts, checklist, complete_answers, left_to_do, next_step
from tests.unit.tenants.onboarding_answers import answers

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SENDERS = frozenset({"US:TOLL_FREE", "GB:SENDER_ID"})
READY: dict[str, Any] = {
    "asked_at": NOON,
    "approved_at": NOON,
    "registrations": {"US:TOLL_FREE": "complete"},
    "active": SENDERS,
    "test_delivered": True,
}


def first_left(given: Answers, **facts: Any) -> tuple[str, str] | None:
    """Return name and state of the first step that is not done."""
    step = next_step(checklist(given, Facts(**facts)))
    return None if step is None else (step.name, step.state)


@pytest.mark.parametrize("lacking", STEPS[:7])
def test_whatever_is_not_answered_is_the_next_step_and_stops_what_follows(lacking: str) -> None:
    """Answers may be given in any order; nothing costs money before all are there."""
    steps = checklist(answers(**{lacking: None}), Facts(**READY))
    state = {step.name: step.state for step in steps}
    assert next_step(steps).name == lacking
    assert {state[name] for name in STEPS[7:]} == {"done", "blocked"}
    assert state["live"] == "blocked"
    assert all(state[name] == "done" for name in STEPS[:7] if name not in {lacking, "senders"})


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ({}, ("registrations", "open")),
        ({"asked_at": NOON}, ("registrations", "waiting")),
        ({"sent_back": "a clearer picture"}, ("registrations", "open")),
        (READY | {"registrations": {"US:TOLL_FREE": "missing"}}, ("registrations", "open")),
        (READY | {"registrations": {"US:TOLL_FREE": "reviewing"}}, ("registrations", "waiting")),
        (READY | {"registrations": {"US:TOLL_FREE": "requires_updates"}}, ("registrations", "open")),
        (READY | {"active": frozenset({"GB:SENDER_ID"})}, ("provisioning", "open")),
        (READY | {"test_delivered": False}, ("sandbox_test", "open")),
        (READY, ("live", "open")),
        (READY | {"live": True}, None),
    ],
)
def test_the_flow_goes_on_where_the_facts_leave_it(facts: dict[str, Any], left: object) -> None:
    """No current step is stored, so none can be wrong."""
    assert first_left(answers(), **facts) == left


def test_a_country_without_a_sender_is_named() -> None:
    """A choice for one country does not stand for the others."""
    given = answers(senders={"choices": [{"country": "US", "type": "TOLL_FREE"}]})
    step = next_step(checklist(given, Facts(**READY)))
    assert (step.name, "GB" in step.detail) == ("senders", True)


def reaching(*countries: str) -> Answers:
    """Answers whose senders are for the countries that have some of one's own."""
    wanted = {"countries": list(countries), "messages_per_month": 1}
    own = [{"country": each, "type": "LONG_CODE"} for each in countries if by_iso()[each].has_own_senders]
    return answers(reach=wanted, senders={"choices": own} if own else None)


@pytest.mark.parametrize("countries", [("KR",), ("GB", "KR")])
def test_a_country_without_senders_of_ones_own_waits_for_the_operator_alone(
    countries: tuple[str, ...],
) -> None:
    """An onboarding that named South Korea never finished its senders, as there is nothing to choose."""
    given = reaching(*countries)
    assert complete_answers(given, Facts())
    held = READY | {"registrations": {}, "active": frozenset({"GB:LONG_CODE"})}
    step = next_step(checklist(given, Facts(**held)))
    assert (step.name, step.state, "South Korea" in step.detail) == ("provisioning", "waiting", True)
    held["active"] |= {"KR:SHARED"}
    assert first_left(given, **held) == ("live", "open")


def test_what_has_no_sender_of_its_own_is_what_advice_has_none_for() -> None:
    """Two tables that disagree would ask for a choice that nobody can make, or for none."""
    own = [kind for kind in KINDS if kind != "SHARED"]
    for country in by_iso().values():
        assert country.has_own_senders == any(unavailable(kind, country) is None for kind in own), country.iso


@pytest.mark.parametrize(
    "facts",
    [
        READY | {"registrations": {"US:TOLL_FREE": "missing"}},
        READY | {"registrations": {"US:TOLL_FREE": "reviewing"}},
        READY | {"active": frozenset({"GB:SENDER_ID"})},
    ],
)
def test_senders_are_named_in_words(facts: dict[str, Any]) -> None:
    """People read the checklist, and refusals with it; `US:TOLL_FREE` is a name among facts."""
    step = next_step(checklist(answers(), Facts(**facts)))
    assert "toll-free number for United States" in step.detail
    assert "US:TOLL_FREE" not in step.detail
    assert step.name not in left_to_do(step).split()


@pytest.mark.parametrize(
    ("seen", "through", "shared", "registrant"),
    [
        ("tenant", "tenant", False, "tenant"),
        ("tenant", "operator", True, "tenant"),
        ("tenant", "operator", False, None),
        ("operator", "operator", False, "operator"),
        ("operator", "operator", True, None),
        ("operator", "tenant", False, None),
        ("neither", "tenant", False, None),
    ],
)
def test_whose_data_is_registered_follows_from_whom_recipients_believe(
    seen: str, through: str, shared: bool, registrant: str | None
) -> None:
    """Carriers refuse a mixture, so a person decides about one."""
    given = answers(relationship={"brand_seen": seen, "opt_in_through": through, "opt_in_shared": shared})
    assert registrant_of(given.relationship) == registrant
    assert complete_answers(given, Facts()) == (registrant is not None)
    assert complete_answers(given, Facts(decided="tenant"))
