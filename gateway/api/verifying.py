"""The steps of a verification at AWS, between transactions: none is open while AWS is asked."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.desk import Desk
from gateway.api.refusals import Refusal
from gateway.carrier.verify_ports import (
    CodeChannel,
    CodeExpired,
    CodeLanguage,
    CodeRight,
    CodeSent,
    CodeWrong,
    KnownAtAws,
    VerificationRefused,
)
from tenants.scope import TenantScope
from tenants.senders import store as senders
from tenants.senders.routing import routes_of
from tenants.verification import service
from tenants.verification.service import AskAws, CodeDue, Over, Proven, Wrong


async def account_of(scope: TenantScope, session: AsyncSession) -> UUID | None:
    """
    Return the AWS account in which a tenant's numbers are verified; None where it has no active sender.

    That is the first of its routes with one, those in AWS's sandbox before others: they reach nobody else.
    """
    active = {row.account_id for row in await senders.known_senders(scope, session) if row.state == "active"}
    usable = [route for route in await routes_of(scope, session) if route.account_id in active]
    return min(usable, key=lambda route: not route.sandbox).account_id if usable else None


async def send_due(
    desk: Desk, scope: TenantScope, due: CodeDue, *, channel: CodeChannel, language: CodeLanguage
) -> None:
    """
    Let AWS send the code that is due.

    Raises:
        Refusal: AWS said no, or another tenant of the account has verified the number there.
        Unavailable: AWS does not answer.
    """
    account_id = due.account_id
    assert account_id is not None  # noqa: S101 - codes of test keys are never owed
    verifier = desk.services.number_verifier
    aws_id = due.aws_id or await _entered(desk, scope, due)
    match await verifier.send_code(account_id, aws_id, channel=channel, language=language):
        case CodeSent():
            return
        case KnownAtAws():
            # The entry is this tenant's alone, proven by its code: the answer was lost, or it was deleted.
            async with desk.tenant(scope) as session:
                await service.prove(scope, session, due.number_id, desk.services.clock.now())
            await desk.services.policy_changed(scope.tenant_id)
        case VerificationRefused(detail=detail):
            raise Refusal("verification_refused", detail)


async def _entered(desk: Desk, scope: TenantScope, due: CodeDue) -> str:
    """Return AWS's id of the number, kept before a code is sent; what others proved proves nothing."""
    assert due.account_id is not None  # noqa: S101 - as above
    entry = await desk.services.number_verifier.enter(due.account_id, due.number)
    if isinstance(entry, VerificationRefused):
        raise Refusal("verification_refused", entry.detail)
    if entry.verified and not entry.created:
        raise Refusal(
            "verification_refused",
            "The AWS account has the number as verified, but not by this tenant; the operator can delete it "
            "there, a day after it was made.",
        )
    async with desk.tenant(scope) as session:
        await service.entered(scope, session, due.number_id, entry.aws_id)
    return entry.aws_id


async def judged_at_aws(desk: Desk, asked: AskAws, code: str) -> Proven | Wrong | Over:
    """
    Return what AWS says of a guess that was counted.

    Raises:
        Refusal: AWS said no to the asking itself.
        Unavailable: AWS does not answer.
    """
    match await desk.services.number_verifier.check(asked.account_id, asked.aws_id, code):
        case CodeRight():
            return Proven()
        case CodeWrong():
            return Wrong(left=asked.left)
        case CodeExpired():
            return Over(detail="the code has expired; ask for another one")
        case VerificationRefused(detail=detail):
            raise Refusal("verification_refused", detail)


def code_refusal(guess: Wrong | Over) -> Refusal:
    """Return the refusal of a guess that proved nothing."""
    match guess:
        case Wrong(left=left):
            return Refusal.of_field(
                "/code", "verification_code_wrong", f"That is not the code; {left} guesses are left."
            )
        case Over(detail=detail):
            return Refusal("verification_closed", detail)
