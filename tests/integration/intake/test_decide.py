"""The decision of a batch, pure: money, keys, and what earlier sends of the batch leave for later ones."""

from uuid import uuid4

import pytest

from gateway.intake.commit import KeyMismatch, NoCredit, PlanChanged, Replay, Stored, decide
from gateway.intake.idempotency import StoredAnswer
from tenants.credits.batch import LockedBalance
from tenants.scope import TenantScope
from tests.harness.tenants import new_message

BATCH = uuid4()
ACME, SHOP = TenantScope(tenant_id=uuid4()), TenantScope(tenant_id=uuid4())


def balances(**available):
    """Balances of the two tenants in credits."""
    wanted = {ACME.tenant_id: available.get("acme"), SHOP.tenant_id: available.get("shop")}
    return {
        tenant_id: LockedBalance(unit="credits", posted=amount, held=0)
        for tenant_id, amount in wanted.items()
        if amount is not None
    }


def decided(*messages, stored=None, **available):
    """The decisions for a batch."""
    return decide(messages, balances(**available), stored or {}, BATCH)


@pytest.mark.parametrize(("available", "accepted"), [(0, 0), (1, 1), (4, 4), (5, 5), (99, 5)])
def test_sends_are_stored_in_order_until_the_credit_is_gone(available, accepted):
    """First come, first served, and never one more than is paid for."""
    outcome = decided(*(new_message(ACME) for _ in range(5)), acme=available)
    assert outcome == [Stored(BATCH)] * accepted + [NoCredit(0, 1)] * (5 - accepted)


def test_a_send_too_dear_leaves_its_money_to_a_cheaper_one_behind_it():
    """A refusal holds nothing."""
    dear, cheap = new_message(ACME, price_estimated=4), new_message(ACME, price_estimated=3)
    assert decided(dear, cheap, acme=3) == [NoCredit(3, 4), Stored(BATCH)]


def test_one_tenants_empty_purse_stops_nobody_else():
    """A batch holds many tenants."""
    mixed = (new_message(ACME), new_message(SHOP), new_message(ACME))
    assert decided(*mixed, acme=0, shop=1) == [NoCredit(0, 1), Stored(BATCH), NoCredit(0, 1)]


def test_a_test_message_needs_no_credit():
    """The sandbox is free."""
    assert decided(new_message(ACME, test=True, price_estimated=7), acme=0) == [Stored(BATCH)]


def test_a_tenant_without_a_balance_has_no_credit():
    """An absent row is not an open purse."""
    assert decided(new_message(ACME)) == [NoCredit(0, 1)]


def test_a_key_used_twice_in_one_batch_stands_for_its_first_send():
    """A client that retries fast enough lands in the same commit as itself."""
    first, again, other = (new_message(ACME, key="k") for _ in range(3))
    changed = new_message(ACME, key="k", fingerprint=b"another body")
    assert decided(first, again, changed, other, acme=9) == [
        Stored(BATCH),
        Replay(first.id),
        KeyMismatch(),
        Replay(first.id),
    ]


def test_a_stored_key_replays_even_when_the_money_is_gone():
    """The first answer again, whatever the balance says today."""
    known = {(ACME.tenant_id, "k"): StoredAnswer(fingerprint=b"f", message_id=BATCH)}
    assert decided(new_message(ACME, key="k"), stored=known, acme=0) == [Replay(BATCH)]


def test_a_key_whose_send_was_refused_may_be_used_again():
    """Nothing was stored for it, so it stands for nothing."""
    poor, rich = new_message(ACME, key="k", price_estimated=5), new_message(ACME, key="k", price_estimated=1)
    assert decided(poor, rich, acme=1) == [NoCredit(1, 5), Stored(BATCH)]


def test_two_tenants_may_use_the_same_key():
    """A key belongs to its tenant."""
    known = {(ACME.tenant_id, "k"): StoredAnswer(fingerprint=b"f", message_id=BATCH)}
    assert decided(new_message(SHOP, key="k"), stored=known, shop=1) == [Stored(BATCH)]


def test_a_key_of_another_route_is_a_mismatch():
    """The keys of all POSTs share one space; one without a message never sent anything."""
    known = {(ACME.tenant_id, "k"): StoredAnswer(fingerprint=b"f", message_id=None)}
    assert decided(new_message(ACME, key="k"), stored=known, acme=1) == [KeyMismatch()]


def test_a_price_in_another_unit_than_the_balance_is_not_compared_with_it():
    """Credits are not micro-dollars: a plan that moved meanwhile is read again."""
    assert decided(new_message(ACME, unit="micros"), acme=1_000_000) == [PlanChanged()]
