"""The message's own machine, and the fold of AWS's events that drives it."""

from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from gateway.messages.models import Message
from gateway.messages.status import (
    FINALS,
    MOVES,
    STATUSES,
    Outcome,
    Projection,
    Unmapped,
    advance,
    mapped_names,
    may_move,
    outcome_of,
    project,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
AWS_NAMES = (
    *("SENT", "PENDING", "QUEUED", "SUCCESSFUL", "DELIVERED", "INVALID", "INVALID_MESSAGE", "UNREACHABLE"),
    *(
        "CARRIER_UNREACHABLE",
        "BLOCKED",
        "CARRIER_BLOCKED",
        "SPAM",
        "UNKNOWN",
        "TTL_EXPIRED",
        "PROTECT_BLOCKED",
    ),
    *(
        "INITIATED",
        "RINGING",
        "ANSWERED",
        "COMPLETED",
        "BUSY",
        "NO_ANSWER",
        "FAILED",
        "ACCEPTED",
        "UNROUTABLE",
    ),
    *("FILE_INACCESSIBLE", "FILE_TYPE_UNSUPPORTED", "FILE_SIZE_EXCEEDED"),
)


class Seen(Struct, frozen=True):
    """An event as the projection sees it."""

    status: str
    at: datetime = START


def _folded(events: tuple[Seen, ...] | list[Seen]) -> Projection | None:
    start: Projection | None = None
    return reduce(project, events, start)


def _status(name: str) -> str:
    outcome = outcome_of(project(None, Seen(name)))
    assert isinstance(outcome, Outcome)
    return outcome.status


EVENTS = st.builds(
    Seen,
    st.sampled_from([*AWS_NAMES, "NEW_WORD", "ANOTHER"]),
    st.integers(0, 4).map(lambda seconds: START + timedelta(seconds=seconds)),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(EVENTS, max_size=8), st.data())
def test_order_and_copies_of_events_do_not_matter(events, data) -> None:
    """AWS promises neither order nor single delivery."""
    copies = [event for event in events for _ in range(data.draw(st.integers(1, 3)))]
    assert _folded(data.draw(st.permutations(copies))) == _folded(events)


@settings(max_examples=300, deadline=None)
@given(EVENTS, EVENTS, EVENTS)
def test_the_projection_is_a_join(first, second, third) -> None:
    """Commutative, associative and idempotent, law by law."""
    assert _folded([first, second]) == _folded([second, first])
    assert _folded([first, first]) == _folded([first])
    left = project(_folded([first, second]), third)
    right = project(_folded([second, third]), first)
    assert left == right


@settings(deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=5, unique_by=lambda event: event.status))
def test_the_message_status_does_not_depend_on_the_order_either(events) -> None:
    """The table must let every projection through, in whatever order projections appear."""
    finals = set()
    for order in permutations(events):
        status, projection = "dispatching", None
        for event in order:
            projection = project(projection, event)
            outcome = outcome_of(projection)
            status = advance(status, outcome.status) if isinstance(outcome, Outcome) else status
        finals.add(status)
    assert len(finals) == 1


def test_ranks_follow_the_design() -> None:
    """QUEUED < SENT, PENDING, ACCEPTED < UNKNOWN < SUCCESSFUL, ANSWERED < failures and DELIVERED."""
    ladder = [["QUEUED", "INITIATED"], ["SENT", "PENDING", "ACCEPTED", "RINGING"], ["UNKNOWN"]]
    ladder += [
        ["SUCCESSFUL", "ANSWERED"],
        sorted(set(AWS_NAMES) - {name for rung in ladder for name in rung} - {"SUCCESSFUL", "ANSWERED"}),
    ]
    ranks = [{project(None, Seen(name)).rank for name in rung} for rung in ladder]
    assert ranks == [{1}, {2}, {3}, {4}, {5}]


def test_every_status_that_aws_names_is_mapped() -> None:
    """All event types of the API and the words of the guide."""
    assert mapped_names() == set(AWS_NAMES)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        *((name, "sent") for name in ("QUEUED", "PENDING", "SENT", "ACCEPTED", "INITIATED", "RINGING")),
        *((name, "delivered") for name in ("DELIVERED", "SUCCESSFUL", "COMPLETED", "ANSWERED")),
        *(("TTL_EXPIRED", "expired"), ("UNKNOWN", "unknown")),
        *(
            (name, "undelivered")
            for name in ("BLOCKED", "CARRIER_BLOCKED", "SPAM", "INVALID", "INVALID_MESSAGE")
        ),
        *(
            (name, "undelivered")
            for name in ("UNREACHABLE", "CARRIER_UNREACHABLE", "PROTECT_BLOCKED", "FAILED")
        ),
        *((name, "undelivered") for name in ("UNROUTABLE", "BUSY", "NO_ANSWER", "FILE_INACCESSIBLE")),
        *((name, "undelivered") for name in ("FILE_TYPE_UNSUPPORTED", "FILE_SIZE_EXCEEDED")),
    ],
)
def test_a_status_of_aws_means_one_of_ours(name, status) -> None:
    """What a tenant reads."""
    assert _status(name) == status


def test_an_unmapped_status_is_reported_and_never_guessed() -> None:
    """AWS may add a word; it loses to every known one and changes nothing."""
    projection = project(None, Seen("NEW_WORD", START + timedelta(days=1)))
    assert outcome_of(projection) == Unmapped(name="NEW_WORD")
    assert project(projection, Seen("QUEUED")).name == "QUEUED"


def test_delivered_after_a_final_successful_counts() -> None:
    """AWS marks both final."""
    assert (
        _folded([Seen("DELIVERED", START), Seen("SUCCESSFUL", START + timedelta(hours=1))]).name
        == "DELIVERED"
    )


def test_of_two_last_words_the_later_one_counts() -> None:
    """A phone that was off and then got the message."""
    later = START + timedelta(seconds=1)
    assert _folded([Seen("UNREACHABLE", START), Seen("DELIVERED", later)]).name == "DELIVERED"
    assert _folded([Seen("DELIVERED", START), Seen("UNREACHABLE", later)]).name == "UNREACHABLE"


def test_every_reason_explains_itself_and_shows_a_way_out() -> None:
    """A code for programs, one sentence for people, no code twice."""
    outcomes = [outcome_of(project(None, Seen(name))) for name in sorted(mapped_names())]
    reasons = [outcome.reason for outcome in outcomes if isinstance(outcome, Outcome) and outcome.reason]
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert len({reason.code for reason in reasons}) == len(reasons)
    for reason in reasons:
        assert reason.code == reason.code.lower()
        assert reason.detail.endswith(".")
        assert ";" in reason.detail
        assert reason.detail.count(".") == 1


def test_only_what_did_not_arrive_has_a_reason() -> None:
    """A delivered message needs no excuse."""
    for name in mapped_names():
        outcome = outcome_of(project(None, Seen(name)))
        assert isinstance(outcome, Outcome)
        assert (outcome.reason is None) == (outcome.status in {"sent", "delivered"})


def test_the_table_names_every_status_and_no_other() -> None:
    """As does the constraint in the database."""
    assert set(MOVES) == set(STATUSES)
    assert set().union(*MOVES.values()) | {"scheduled"} == set(STATUSES)
    checks = {
        str(c.sqltext) for c in Message.__table__.constraints if getattr(c, "sqltext", None) is not None
    }
    assert any(all(f"'{status}'" in check for status in STATUSES) for check in checks)


def test_no_message_comes_back_from_the_carrier() -> None:
    """Once AWS has it, it never waits for us again; staying is no move."""
    ours = {"scheduled", "queued", "dispatching", "canceled", "failed"}
    for status in STATUSES:
        assert not may_move(status, status)
    for status in FINALS | {"sent"}:
        assert not MOVES[status] & ours
        assert "sent" not in MOVES[status]


def test_a_canceled_message_never_left_so_nothing_can_correct_it() -> None:
    """Cancel is refused once dispatching."""
    assert MOVES["canceled"] == frozenset()
    assert not may_move("dispatching", "canceled")


def test_an_impossible_report_leaves_the_status() -> None:
    """`advance` is what the store calls, so it must not raise."""
    assert advance("delivered", "sent") == "delivered"
    assert advance("canceled", "delivered") == "canceled"
    assert advance("unknown", "delivered") == "delivered"
