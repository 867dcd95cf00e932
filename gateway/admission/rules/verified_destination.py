"""May the account reach the number? In AWS's sandbox it reaches verified numbers and simulators (F-VERIF)."""

from typing import Final

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts

_REACHES_ALL: Final = Open(note="the sender's account is not in AWS's sandbox")


def account_reaches_it(facts: SendFacts) -> RuleVerdict:
    """Refuse here what AWS would refuse after the accept."""
    if not facts.account_in_sandbox:
        return _REACHES_ALL
    if facts.number.simulator or facts.verified_in_account:
        return Open(note="the account is in AWS's sandbox and the number is a simulator's or verified there")
    return Closed(
        code="destination_not_verified",
        detail="the sender's AWS account is in AWS's sandbox and the number is not verified there; "
        "POST /v1/verified-numbers verifies it",
    )
