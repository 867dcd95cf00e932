"""What must hold for exit status 0. Pure: it judges what was read at the end."""

from collections import Counter
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from gateway.demo.acts import Act
from gateway.demo.crowd import Crowd, seconds_between
from gateway.demo.script import CROWDED
from gateway.demo.tally import Tally
from gateway.messages.reconcile import Proof

FINALS: Final = frozenset({"delivered", "undelivered", "failed", "expired", "canceled", "unknown"})


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything that was read once the last message was final."""

    wanted: int
    """Messages that were to be accepted."""
    tally: Tally
    acts: list[Act]
    crowd: Crowd
    messages: list[Any]
    """Of both tenants, as the REST API lists them."""
    at_aws: list[Any]
    """Sends that the emulator accepted."""
    webhooks_received: int
    webhooks_verified: int
    webhooks_pending: int
    proof: Proof
    balances: dict[str, Any]
    """Tenant name to its credits."""
    seconds: float
    """How long the whole demo took."""

    def finals(self) -> Counter[str]:
        """Return how many messages are in each status."""
        return Counter(str(each["status"]) for each in self.messages)

    def spent(self, tenant: str) -> Decimal:
        """Return what a tenant's messages cost in the end, in the unit it pays in."""
        prices = [each["price"] for each in self.messages if self.tally.accepted.get(each["id"]) == tenant]
        return sum((Decimal(price["credits"] or price["final"] or 0) for price in prices), Decimal(0))

    def receipt_seconds(self) -> list[float]:
        """Return the time from accept to final, without the country whose queue was wanted."""
        return sorted(
            seconds_between(each["created_at"], each["final_at"])
            for each in self.messages
            if each["final_at"] is not None and each["country"] != CROWDED
        )


class Check(Struct, frozen=True, kw_only=True):
    """One thing that must hold, and what was found."""

    what: str
    held: bool
    found: str


def judge(evidence: Evidence) -> list[Check]:
    """Return every check, those that hold and those that do not."""
    return [*_on_messages(evidence), *_on_rates(evidence), *_on_money(evidence)]


def _on_messages(evidence: Evidence) -> list[Check]:
    statuses = evidence.finals()
    not_final = sum(count for status, count in statuses.items() if status not in FINALS)
    failed_acts = [act.what for act in evidence.acts if not act.held]
    sent_twice = len(evidence.at_aws) - len({_ours(each) for each in evidence.at_aws})
    unverified = evidence.webhooks_received - evidence.webhooks_verified
    return [
        Check(
            what="every message of the script was accepted",
            held=len(evidence.tally.accepted) == evidence.wanted,
            found=f"{len(evidence.tally.accepted)} of {evidence.wanted}",
        ),
        Check(
            what="every accepted message is final",
            held=not_final == 0 and len(evidence.messages) == len(evidence.tally.accepted),
            found=f"{len(evidence.messages) - not_final} of {len(evidence.tally.accepted)}",
        ),
        Check(
            what="every refusal and replay came as expected",
            held=not failed_acts,
            found=", ".join(failed_acts) or f"{len(evidence.acts)} of {len(evidence.acts)}",
        ),
        Check(what="no message reached AWS twice", held=sent_twice == 0, found=f"{sent_twice} twice"),
        Check(
            what="some were delivered and some failed",
            held=statuses["delivered"] > 0 and statuses["undelivered"] > 0,
            found=f"{statuses['delivered']} and {statuses['undelivered']}",
        ),
        Check(
            what="every webhook verified, none is owed",
            held=unverified == 0 and evidence.webhooks_pending == 0 and evidence.webhooks_verified > 0,
            found=f"{evidence.webhooks_verified} verified, {evidence.webhooks_pending} pending",
        ),
    ]


def _on_rates(evidence: Evidence) -> list[Check]:
    crowd = evidence.crowd
    return [
        Check(
            what=f"{CROWDED} ran at its MPS, not over it",
            held=crowd.kept and crowd.queued,
            found=f"{crowd.sustained:.1f} parts/s of {crowd.mps}, waits up to {crowd.longest_wait_s:.1f} s",
        ),
        Check(
            what="OTPs overtook the campaign",
            held=crowd.otps_first,
            found=(
                f"{crowd.overtaken} overtaken; median wait {crowd.otp_wait_s:.2f} s against "
                f"{crowd.campaign_wait_s:.2f} s"
            ),
        ),
    ]


def _on_money(evidence: Evidence) -> list[Check]:
    found = evidence.proof.differences
    rules = ", ".join(sorted({each.rule for each in found}))
    held = [name for name, balance in evidence.balances.items() if float(balance["held"]) != 0]
    return [
        Check(
            what="ledger, balances and messages agree",
            held=not found,
            found=rules or f"{evidence.proof.transfers} transfers, no difference",
        ),
        Check(what="nothing is held any more", held=not held, found=", ".join(held) or "nothing"),
    ]


def _ours(sent: Any) -> tuple[str, ...]:
    """What names our message in AWS's context, whichever pairs a tenant added."""
    return tuple(sorted(f"{name}={value}" for name, value in sent["context"].items()))
