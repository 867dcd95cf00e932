"""
The checklist of an onboarding. Pure: answers and facts in, steps with what is left to do out.

A step is `done`, `open` (the tenant's turn), `waiting` (somebody else's turn: the operator, AWS, a carrier)
or `blocked` (an earlier one comes first).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, Literal, get_args

from msgspec import Struct

from tenants.countries.facts import by_iso
from tenants.onboarding.answers import (
    Legal,
    OptIn,
    Profile,
    Reach,
    Relationship,
    SenderChoice,
    Senders,
    UseCases,
)
from tenants.onboarding.relationship import conflict_of, registrant_of
from tenants.senders.spoken import SPOKEN

StepName = Literal[
    "profile",
    "relationship",
    "use_cases",
    "reach",
    "senders",
    "legal",
    "opt_in",
    "registrations",
    "provisioning",
    "sandbox_test",
    "live",
]
STEPS: Final[tuple[StepName, ...]] = get_args(StepName)
StepState = Literal["done", "open", "waiting", "blocked"]
RegistrationState = Literal["missing", "draft", "reviewing", "requires_updates", "complete"]


class Answers(Struct, frozen=True, kw_only=True):
    """What was answered so far."""

    profile: Profile | None = None
    relationship: Relationship | None = None
    use_cases: UseCases | None = None
    reach: Reach | None = None
    senders: Senders | None = None
    legal: Legal | None = None
    opt_in: OptIn | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What is the case outside the answers."""

    registrations: dict[str, RegistrationState] = {}
    """Of each choice that has to be registered, by `COUNTRY:TYPE`."""
    active: frozenset[str] = frozenset()
    """Active senders by `COUNTRY:TYPE`, shared routes among them."""
    asked_at: datetime | None = None
    """When the tenant asked for approval."""
    approved_at: datetime | None = None
    sent_back: str | None = None
    """What the operator wants changed before it approves."""
    decided: str | None = None
    """What the operator decided about a relationship that does not decide itself."""
    test_delivered: bool = False
    live: bool = False


class Step(Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    name: StepName
    state: StepState
    detail: str
    """What is the case, or what to do next; one sentence."""


def checklist(answers: Answers, facts: Facts) -> list[Step]:
    """Return every step in order."""
    steps: list[Step] = []
    missing: StepName | None = None
    for name, state, detail in _judged(answers, facts):
        if missing is not None and state != "done" and name not in _ANSWERED:
            steps.append(Step(name=name, state="blocked", detail=f"Comes after {_TITLES[missing]}."))
            continue
        steps.append(Step(name=name, state=state, detail=detail))
        if missing is None and state != "done":
            missing = name
    return steps


def next_step(steps: list[Step]) -> Step | None:
    """Return the first that is not done; None when all are."""
    return next((step for step in steps if step.state != "done"), None)


def key_of(country: str, kind: str) -> str:
    """Return the name of a choice among facts."""
    return f"{country}:{kind}"


def left_to_do(step: Step) -> str:
    """Return what a step that is not done waits for, in words."""
    return f"Not done yet: {_TITLES[step.name]}. {step.detail}"


def complete_answers(answers: Answers, facts: Facts) -> bool:
    """Return whether everything a registration needs is answered and decided."""
    return all(step.state == "done" for step in checklist(answers, facts) if step.name in _ANSWERED)


_ANSWERED: Final = frozenset(STEPS[:7])
"""Steps that are answers: they may be given in any order."""
_TITLES: Final[dict[StepName, str]] = {
    "profile": "the profile",
    "relationship": "the relationship question",
    "use_cases": "the use cases",
    "reach": "the countries and volume",
    "senders": "the choice of senders",
    "legal": "the terms and the privacy policy",
    "opt_in": "the opt-in",
    "registrations": "the registrations",
    "provisioning": "the provisioning",
    "sandbox_test": "the test message",
    "live": "going live",
}
_LEFT_TO_REGISTER: Final[tuple[tuple[RegistrationState, StepState, str], ...]] = (
    ("requires_updates", "open", "The reviewer asks for changes: {}."),
    ("missing", "open", "Fill in and submit what registers it: {}."),
    ("draft", "open", "Submit what registers it: {}."),
    ("reviewing", "waiting", "Being reviewed: {}."),
)
"""The tenant's turn before anybody else's."""
_Judged = tuple[StepName, StepState, str]


def _judged(answers: Answers, facts: Facts) -> Iterator[_Judged]:
    yield _plain("profile", answers.profile, "Say who you are.")
    yield _relationship(answers.relationship, facts)
    yield _plain("use_cases", answers.use_cases, "Say what you will send, with samples.")
    yield _plain("reach", answers.reach, "Name countries, volume and speed.")
    yield _senders(answers)
    yield _legal(answers.legal)
    yield _opt_in(answers.opt_in)
    yield _registrations(facts)
    yield _provisioning(answers, facts)
    if facts.test_delivered:
        yield "sandbox_test", "done", "A test message was delivered."
    else:
        yield "sandbox_test", "open", "Send a message with a test key; its receipt reaches your webhook."
    yield ("live", "done", "Live keys send.") if facts.live else ("live", "open", "Go live.")


def _spoken(choices: Iterable[str]) -> str:
    """Return `US:TEN_DLC` as `10DLC number for United States`, several after commas."""
    said: list[str] = []
    for choice in choices:
        iso, _, kind = choice.partition(":")
        country = by_iso().get(iso)
        said.append(f"{SPOKEN.get(kind, kind)} for {iso if country is None else country.name}")
    return ", ".join(said)


def _plain(name: StepName, answer: object, ask: str) -> _Judged:
    return (name, "done", "Answered.") if answer is not None else (name, "open", ask)


def _relationship(answer: Relationship | None, facts: Facts) -> _Judged:
    if answer is None:
        return "relationship", "open", "Say whom recipients believe they deal with."
    registrant = registrant_of(answer) or facts.decided
    if registrant is None:
        return "relationship", "waiting", f"The operator decides: {conflict_of(answer)}."
    return "relationship", "done", f"Registered in the {registrant}'s name."


def _senders(answers: Answers) -> _Judged:
    reach = set(answers.reach.countries if answers.reach else ())
    chosen, shared = {choice.country for choice in _choices(answers)}, _shared(answers)
    if not chosen and (reach != shared or not reach):
        return "senders", "open", "Choose a sender for each country."
    lacking = sorted(reach - chosen - shared)
    if lacking:
        return "senders", "open", f"Choose a sender for {', '.join(lacking)}."
    if not chosen:
        return "senders", "done", f"Nothing to choose: shared routes alone reach {_named(shared)}."
    return "senders", "done", "Chosen."


def _choices(answers: Answers) -> list[SenderChoice]:
    return answers.senders.choices if answers.senders else []


def _shared(answers: Answers) -> set[str]:
    """Return the countries of the reach to which AWS has shared routes alone."""
    reach = answers.reach.countries if answers.reach else ()
    return {iso for iso in reach if (country := by_iso().get(iso)) and not country.has_own_senders}


def _named(countries: Iterable[str]) -> str:
    return ", ".join(by_iso()[iso].name for iso in sorted(countries))


def _legal(answer: Legal | None) -> _Judged:
    if answer is None or not (answer.hosted or (answer.terms_url and answer.privacy_url)):
        return "legal", "open", "Use the hosted pages, or name your terms and your privacy policy."
    return "legal", "done", "Hosted pages." if answer.hosted else "Your own pages."


def _opt_in(answer: OptIn | None) -> _Judged:
    return _plain("opt_in", answer, "Say how recipients agree.")


def _registrations(facts: Facts) -> _Judged:
    if facts.sent_back is not None:
        return "registrations", "open", f"The operator asks for a change: {facts.sent_back}"
    if facts.asked_at is None:
        return "registrations", "open", "Ask for approval."
    if facts.approved_at is None:
        return "registrations", "waiting", "The operator looks at the answers."
    for state, turn, said in _LEFT_TO_REGISTER:
        if left := sorted(key for key, each in facts.registrations.items() if each == state):
            return "registrations", turn, said.format(_spoken(left))
    needed = len(facts.registrations)
    return "registrations", "done", f"{needed} complete." if needed else "None of the senders needs one."


def _provisioning(answers: Answers, facts: Facts) -> _Judged:
    choices, shared = _choices(answers), _shared(answers)
    lacking = sorted({key_of(each.country, each.type) for each in choices} - facts.active)
    if lacking or not (choices or shared):
        return "provisioning", "open", f"Get at AWS: {_spoken(lacking) or 'a sender'}."
    if closed := {iso for iso in shared if key_of(iso, "SHARED") not in facts.active}:
        return "provisioning", "waiting", f"The operator opens shared routes to {_named(closed)}."
    return "provisioning", "done", "Every sender is active."
