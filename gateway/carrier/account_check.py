"""
Whether an account could carry messages now: asked of AWS itself, before anybody's text depends on it.

Three steps, each with AWS's own words where it fails: credentials (and the role, where there is one),
DescribeAccountAttributes, and a SendTextMessage with DryRun, which checks permissions and sends nothing. A
dry run that AWS refuses for another reason than permission, such as that there is no number yet, has shown
that sending is allowed.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from botocore.exceptions import ClientError

from gateway.carrier.aws_errors import judge
from gateway.carrier.check_ports import AccountCheck, CheckStep
from gateway.carrier.control import BRIEF_CONFIG, control_client
from gateway.carrier.credentials import problem_of
from gateway.carrier.ports import NotSent, Unknown
from gateway.carrier.session import AwsSession, open_session, role_of
from tenants.senders.models import AwsAccount

_SIMULATOR = "+14254147755"
"""AWS's simulator destination in the United States; with DryRun not even that is reached."""


async def check_account(account: AwsAccount) -> AccountCheck:
    """Try an account; at most a few seconds, and the first step that fails is the last."""
    session = open_session(role_of(account))
    steps: list[CheckStep] = [await _step("credentials", lambda: _credentials(session, account))]
    if steps[-1].ok:
        async with control_client(session, account, BRIEF_CONFIG) as client:
            steps.append(await _step("describe_account_attributes", lambda: _describe(client)))
            if steps[-1].ok:
                steps.append(await _step("dry_run_send", lambda: _dry_run(client)))
    return AccountCheck(ok=all(step.ok for step in steps), steps=tuple(steps))


async def _step(name: str, work: Callable[[], Awaitable[str]]) -> CheckStep:
    try:
        return CheckStep(name=name, ok=True, detail=await work())
    except Exception as error:  # noqa: BLE001 - whatever goes wrong is what the operator asked to hear
        return CheckStep(name=name, ok=False, detail=problem_of(error))


async def _credentials(session: AwsSession, account: AwsAccount) -> str:
    found = await session.get_credentials()
    if found is None:
        raise LookupError("no credentials: set the usual AWS variables, a profile or an instance role")
    await found.get_frozen_credentials()
    return f"The role {account.role_arn} was assumed." if account.role_arn else "Credentials were found."


async def _describe(client: Any) -> str:
    answer = await client.describe_account_attributes()
    facts = {each["Name"]: each["Value"] for each in answer["AccountAttributes"]}
    tier = facts.get("ACCOUNT_TIER", "unknown")
    if tier == "SANDBOX":
        return "The account is in AWS's sandbox: only verified numbers and simulators can be reached."
    return f"The account's tier is {tier}."


async def _dry_run(client: Any) -> str:
    try:
        await client.send_text_message(
            DestinationPhoneNumber=_SIMULATOR, MessageBody="Permission check", DryRun=True
        )
    except ClientError as error:
        response: Any = error.response
        code, reason = response.get("Error", {}).get("Code", ""), response.get("Reason", "")
        outcome = judge(
            code=code, reason=reason, status=response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        )
        if isinstance(outcome, Unknown) or (isinstance(outcome, NotSent) and outcome.fault == "account"):
            raise
        return f"Sending is allowed; the dry run itself was refused: {code} {reason}".rstrip() + "."
    return "Sending is allowed."
