"""Where a message goes after a call that AWS certainly did not take, and when it goes nowhere."""

from datetime import UTC, datetime

import pytest
from msgspec import structs

from gateway.carrier.ports import NotSent, Refused, Sent, Unknown
from gateway.dispatch.failover import Failure, GoTo, Stay, Step, call_result, failure_of, next_move
from gateway.dispatch.record import Expired
from gateway.routing.candidates import Need, best_group, rank
from gateway.routing.health import Illness
from gateway.routing.judging import judge
from gateway.routing.sticky import sticky
from tests.unit.routing.worlds import ABROAD, AWAY, HOME, ROUTES, sender, world

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TEXT = Need(country="US", message_type="transactional")
FIRST = sender(1, "SHORT_CODE")
SAME_ACCOUNT = sender(2, "TOLL_FREE")
NEXT_ACCOUNT = sender(3, "SHORT_CODE", account_id=AWAY)
NEXT_REGION = sender(4, "SHORT_CODE", account_id=ABROAD)
EVERYBODY = world(FIRST, SAME_ACCOUNT, NEXT_ACCOUNT, NEXT_REGION)
AFTER = 3


def not_sent(fault, reason="x"):
    """An answer of which AWS says that it took nothing."""
    return NotSent(reason=reason, retry_after_ms=1, fault=fault)


def step(left, blame="sender"):
    """A sender that was left before."""
    region = ROUTES[left.account_id].region
    return Step(
        sender=left.id,
        account=left.account_id,
        region=region,
        value=left.value,
        blame=blame,
        code="x",
        at=NOW,
    )


def goes(
    blame="sender",
    *,
    current=FIRST,
    trail=(),
    routing=EVERYBODY,
    definite=True,
    failures=0,
    ill=None,
    by_hand=False,
):
    """The sender that comes next, or None."""
    move = next_move(
        Failure(blame=blame, code="x", definite=definite, by_hand=by_hand),
        current=current.id,
        account=current.account_id,
        failures=failures,
        after=AFTER,
        trail=trail,
        candidates=judge(rank(routing, TEXT), ill or {}, draw=1.0),
        routing=routing,
    )
    return move.sender if isinstance(move, GoTo) else None


@pytest.mark.parametrize(
    ("result", "moved", "blame"),
    [
        (Refused(code="no_originator", detail=""), False, "sender"),
        (Refused(code="sender_not_registered", detail=""), False, "sender"),
        (Refused(code="opted_out", detail=""), False, None),
        (Refused(code="price_over_max", detail=""), False, None),
        (Refused(code="price_over_max", detail=""), True, "sender"),
        (not_sent("sender"), False, "sender"),
        (not_sent("account"), False, "account"),
        (not_sent("throttled"), False, None),
        (not_sent("passing", "mark_too_old"), False, None),
        (not_sent("passing", "connect_failed"), False, "region"),
        (Unknown(reason="timeout"), False, None),
        (Unknown(reason="timeout"), True, None),
        (Sent(provider_message_id="aws"), True, None),
        (Expired(), True, None),
    ],
)
def test_only_what_aws_certainly_did_not_take_for_the_senders_sake_leads_on(result, moved, blame):
    """An unknown outcome never does: the text may be on its way."""
    failure = failure_of(result, moved=moved)
    assert (failure.blame if failure else None) == blame


def test_identity_then_account_then_region_each_once_and_then_no_more():
    """The whole way of a message whose every sender is refused."""
    left, current, way = [], FIRST, []
    while (found := goes(current=current, trail=left)) is not None:
        way.append(found)
        left.append(step(current))
        current = found
    assert way == [SAME_ACCOUNT, NEXT_ACCOUNT, NEXT_REGION]


def test_a_fault_of_the_account_skips_its_other_identities():
    """They would be refused for the same reason."""
    assert goes("account") == NEXT_ACCOUNT
    assert goes("account", current=NEXT_ACCOUNT, trail=[step(FIRST, "account")]) == NEXT_REGION


def test_a_region_that_cannot_be_reached_is_left_before_its_other_accounts_are_tried():
    """They are behind the same fault as a rule, but not where each has an endpoint of its own."""
    assert goes("region") == NEXT_REGION
    trail = [step(FIRST, "region")]
    assert goes("region", current=NEXT_REGION, trail=trail) == NEXT_ACCOUNT
    trail += [step(NEXT_REGION, "region")]
    assert goes("region", current=NEXT_ACCOUNT, trail=trail) is None


def test_with_one_region_a_message_goes_to_the_other_account_instead_of_waiting_for_ever():
    """The account's own endpoint may be what is away."""
    here = structs.replace(EVERYBODY, senders={each.id: each for each in (FIRST, SAME_ACCOUNT, NEXT_ACCOUNT)})
    assert goes("region", routing=here) == NEXT_ACCOUNT


def test_a_sender_that_is_in_another_account_by_now_is_tried_there_once():
    """By the first one AWS does not know it any more."""
    moved = structs.replace(FIRST, account_id=AWAY)
    routing = structs.replace(EVERYBODY, senders={FIRST.id: moved})
    assert goes("account", routing=routing) == moved
    assert goes(current=moved, trail=[step(FIRST)], routing=routing) is None


def test_the_operators_order_of_routes_comes_before_nearness():
    """Who put Ireland second wants Ireland second."""
    routes = {
        HOME: structs.replace(ROUTES[HOME], position=1),
        ABROAD: structs.replace(ROUTES[ABROAD], position=2),
        AWAY: structs.replace(ROUTES[AWAY], position=3),
    }
    routing = structs.replace(EVERYBODY, routes=routes)
    assert goes("account", routing=routing) == NEXT_REGION


def test_a_fault_that_may_pass_is_given_its_chances_first():
    """A connection may be back in a second; a refusal by name is not."""
    assert goes("region", definite=False, failures=AFTER - 2) is None
    assert goes("region", definite=False, failures=AFTER - 1) == NEXT_REGION


def test_what_is_disabled_or_does_not_fit_is_no_way_out():
    """A fail-over obeys the same rules as the first choice."""
    ill = {
        SAME_ACCOUNT.id: Illness(state="disabled", reason="x"),
        AWAY: Illness(state="unhealthy", reason="x"),
    }
    assert goes(ill=ill) == NEXT_REGION
    assert goes(routing=world(FIRST, sender(5, country="CA"))) is None


def test_what_the_operator_puts_out_of_use_is_left_for_where_a_message_was_before():
    """A sender that was swapped out and back again would else keep its queue from it until it expires."""
    back = structs.replace(EVERYBODY, senders={each.id: each for each in (FIRST, SAME_ACCOUNT)})
    leaving = {"current": SAME_ACCOUNT, "trail": [step(FIRST)], "routing": back}
    out_of_use = {SAME_ACCOUNT.id: Illness(state="disabled", reason="x")}
    assert goes(ill=out_of_use, by_hand=True, **leaving) == FIRST
    assert goes(ill=out_of_use, **leaving) is None
    both = out_of_use | {FIRST.id: Illness(state="disabled", reason="x")}
    assert goes(ill=both, by_hand=True, **leaving) is None


def test_what_was_never_tried_comes_before_what_was_left():
    """The one that was left may still be what it was left for."""
    leaving = {"current": SAME_ACCOUNT, "trail": [step(FIRST)]}
    out_of_use = {SAME_ACCOUNT.id: Illness(state="disabled", reason="x")}
    assert goes(ill=out_of_use, by_hand=True, **leaving) == NEXT_ACCOUNT


def test_only_a_sender_or_route_that_the_operator_disabled_was_put_out_of_use():
    """What AWS refuses may be refused again where the message came from."""
    for fault in ("sender", "account"):
        assert failure_of(not_sent(fault, "disabled"), moved=True).by_hand
        assert not failure_of(not_sent(fault), moved=True).by_hand


def test_equals_share_what_is_moved():
    """A queue of a million must not all fall on the first of ten numbers."""
    routing = world(FIRST, sender(5), sender(6))
    found = set()
    for spread in range(4):
        move = next_move(
            Failure(blame="sender", code="x", definite=True),
            current=FIRST.id,
            account=FIRST.account_id,
            failures=0,
            after=AFTER,
            trail=(),
            candidates=rank(routing, TEXT),
            routing=routing,
            spread=spread,
        )
        assert move != Stay()
        found.add(move.sender.id)
    assert len(found) == 2


def test_a_sticky_recipients_messages_go_where_its_new_ones_go():
    """One person, one number: in whichever account it is, if it is among the equals."""
    numbers = [sender(number) for number in range(5, 9)]
    abroad = sender(9, account_id=ABROAD)
    routing = structs.replace(world(FIRST, *numbers, abroad, sender(10, "TOLL_FREE")), sticky_sender=True)
    candidates = judge(rank(routing, TEXT), {FIRST.id: Illness(state="disabled", reason="x")}, draw=1.0)
    found = set()
    for number in range(40):
        recipient = number.to_bytes(16, "big")
        moves = [
            next_move(
                Failure(blame="sender", code="left", definite=True),
                current=FIRST.id,
                account=FIRST.account_id,
                failures=0,
                after=1,
                trail=(),
                candidates=candidates,
                routing=routing,
                spread=spread,
                recipient_hash=recipient,
            )
            for spread in range(12)
        ]
        [chosen] = {move.sender.id for move in moves if isinstance(move, GoTo)}
        assert chosen == sticky(best_group(candidates), recipient).id
        found.add(chosen)
    assert found == {each.id for each in (*numbers, abroad)}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Sent(provider_message_id="aws"), "answered"),
        (Refused(code="opted_out", detail=""), "answered"),
        (Refused(code="no_originator", detail=""), "failed"),
        (not_sent("throttled"), "throttled"),
        (not_sent("account"), "failed"),
        (not_sent("passing", "connect_failed"), "failed"),
        (not_sent("passing", "mark_too_old"), None),
        (Unknown(reason="timeout"), "unknown"),
        (Expired(), None),
    ],
)
def test_each_result_says_something_of_the_senders_health_or_nothing(result, said):
    """A recipient who opted out is no illness of the number."""
    assert call_result(result) == said
