"""
The twelve stages of a short code, after AWS's guide to short codes. Pure.

AWS has no API for any of them: a support case and its answers are all there is, so the operator says where
each code is, and the gateway keeps ages, owners and alarms.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from msgspec import Struct

from tenants.errors import Conflict

StageName = Literal[
    "requested",
    "form_received",
    "form_filled",
    "completeness_check",
    "submitted",
    "registrar_review",
    "vetting",
    "carrier_review",
    "number_confirmed",
    "carriers_provisioning",
    "reported_active",
    "active",
]
Owner = Literal["operator", "tenant", "aws", "registrar", "carriers", "nobody"]
STAGE_NAMES: Final[tuple[StageName, ...]] = get_args(StageName)


class Stage(Struct, frozen=True, kw_only=True):
    """One stage: who has it, what is next, and when its silence is an alarm."""

    name: StageName
    owner: Owner
    next_action: str
    patience: timedelta
    """Our own choice but for provisioning, which AWS's guide puts at six weeks and more."""


def _stage(name: StageName, owner: Owner, days: int, next_action: str) -> Stage:
    return Stage(name=name, owner=owner, next_action=next_action, patience=timedelta(days=days))


STAGES: Final = {
    each.name: each
    for each in (
        _stage("requested", "aws", 3, "AWS answers the support case with the country's form."),
        _stage("form_received", "operator", 7, "Fill the form from the pack."),
        _stage("form_filled", "operator", 3, "Attach the filled form and the mock-ups to the case."),
        _stage("completeness_check", "aws", 7, "AWS looks whether anything is missing."),
        _stage("submitted", "aws", 7, "AWS hands the application to the registrar. Some countries bill now."),
        _stage("registrar_review", "registrar", 14, "Answer what the registrar asks; each round counts."),
        _stage("vetting", "registrar", 14, "The company's contact answers the vetting mail."),
        _stage("carrier_review", "carriers", 42, "Carriers review; their six weeks begin here."),
        _stage("number_confirmed", "carriers", 7, "The code is known, and billed where it was not before."),
        _stage("carriers_provisioning", "carriers", 56, "Each carrier opens the code; the slowest decides."),
        _stage("reported_active", "aws", 7, "AWS checks what its partner reported."),
        _stage("active", "nobody", 36500, "Nothing: give the code to the tenant with `provision`."),
    )
}


def check_move(present: StageName, wanted: StageName) -> None:
    """
    Accept any other stage: reviewers send back, and a guide's order is not every country's.

    Raises:
        Conflict: It is active already, or in that stage.
    """
    if present in {wanted, "active"}:
        raise Conflict("conflict", f"a short code that is {present} does not become {wanted}")


def is_stale(
    stage: StageName, *, since: datetime, told_at: datetime | None, now: datetime, closed: bool = False
) -> bool:
    """Whether a stage lasts longer than its patience and nobody was told."""
    late = not closed and now - since >= STAGES[stage].patience
    return late and (told_at is None or told_at < since)
