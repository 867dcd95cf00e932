"""Proves phones at AWS: Create-, SendCode-, Verify- and DeleteVerifiedDestinationNumber of an account."""

from typing import Any, Final
from uuid import UUID

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.aws_errors import classify
from gateway.carrier.control import OpenControl
from gateway.carrier.control_calls import said
from gateway.carrier.ports import NotSent, Unknown
from gateway.carrier.verify_ports import (
    Checking,
    CodeChannel,
    CodeExpired,
    CodeLanguage,
    CodeRight,
    CodeSent,
    CodeWrong,
    Entry,
    KnownAtAws,
    Sending,
    VerificationRefused,
)
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from tenants.errors import NotFound
from tenants.senders import store as senders
from tenants.senders.models import AwsAccount

_log = structlog.get_logger(__name__)

_CHANNELS: Final = {"sms": "TEXT", "voice": "VOICE"}
_EXISTS: Final = "RESOURCE_ALREADY_EXISTS"
_COMPLETE: Final = "VERIFICATION_ALREADY_COMPLETE"
_RETRY_AFTER_MS: Final = 2000


class AwsNumberVerifier:
    """One per API process; opens the account of each call, since these calls are few."""

    def __init__(self, engine: AsyncEngine, open_control: OpenControl) -> None:
        self._engine = engine
        self._open = open_control

    async def enter(self, account_id: UUID, number: str) -> Entry | VerificationRefused:
        """Return the account's entry of a number, made now where there is none."""
        try:
            async with self._open(await self._account(account_id)) as aws:
                made = await aws.call("create_verified_destination_number", DestinationPhoneNumber=number)
                return Entry(aws_id=made["VerifiedDestinationNumberId"], verified=False, created=True)
        except ClientError as error:
            if _reason(error) != _EXISTS:
                return _refused(error)
        except BotoCoreError as error:
            raise _away(error) from error
        return await self._found(account_id, number)

    async def _found(self, account_id: UUID, number: str) -> Entry | VerificationRefused:
        try:
            async with self._open(await self._account(account_id)) as aws:
                page = await aws.call(
                    "describe_verified_destination_numbers", DestinationPhoneNumbers=[number]
                )
        except ClientError as error:
            return _refused(error)
        except BotoCoreError as error:
            raise _away(error) from error
        [entry] = page["VerifiedDestinationNumbers"]
        return Entry(
            aws_id=entry["VerifiedDestinationNumberId"],
            verified=entry["Status"] == "VERIFIED",
            created=False,
        )

    async def send_code(
        self, account_id: UUID, aws_id: str, *, channel: CodeChannel, language: CodeLanguage
    ) -> Sending:
        """Let AWS send a code to the phone."""
        try:
            async with self._open(await self._account(account_id)) as aws:
                await aws.call(
                    "send_destination_number_verification_code",
                    VerifiedDestinationNumberId=aws_id,
                    VerificationChannel=_CHANNELS[channel],
                    LanguageCode=language.upper().replace("-", "_"),
                )
        except ClientError as error:
            return KnownAtAws() if _reason(error) == _COMPLETE else _refused(error)
        except BotoCoreError as error:
            raise _away(error) from error
        return CodeSent()

    async def check(self, account_id: UUID, aws_id: str, code: str) -> Checking:
        """Ask AWS whether a code is the one that it sent; done before counts as right."""
        try:
            async with self._open(await self._account(account_id)) as aws:
                await aws.call(
                    "verify_destination_number", VerifiedDestinationNumberId=aws_id, VerificationCode=code
                )
        except ClientError as error:
            match _reason(error):
                case "VERIFICATION_CODE_MISMATCH":
                    return CodeWrong()
                case "VERIFICATION_CODE_EXPIRED":
                    return CodeExpired()
                case "VERIFICATION_ALREADY_COMPLETE":
                    return CodeRight()
                case _:
                    return _refused(error)
        except BotoCoreError as error:
            raise _away(error) from error
        return CodeRight()

    async def forget(self, account_id: UUID, aws_id: str) -> bool:
        """Delete an entry; AWS keeps one for a day."""
        try:
            async with self._open(await self._account(account_id)) as aws:
                await aws.find("delete_verified_destination_number", VerifiedDestinationNumberId=aws_id)
        except (ClientError, BotoCoreError, NotFound) as error:
            _log.info("verified_number_kept_at_aws", error=str(error))
            return False
        return True

    async def _account(self, account_id: UUID) -> AwsAccount:
        async with worker_transaction(self._engine) as session:
            known = {each.id: each for each in await senders.accounts(session)}
        if account_id not in known:
            raise NotFound("AWS account")
        return known[account_id]


def _reason(error: ClientError) -> str:
    response: Any = error.response
    return str(response.get("Reason") or "")


def _refused(error: ClientError) -> VerificationRefused:
    """
    Return AWS's no.

    Raises:
        Unavailable: It was no no, but a fault of the moment.
    """
    outcome = classify(error)
    passing = isinstance(outcome, Unknown) or (
        isinstance(outcome, NotSent) and outcome.fault in {"passing", "throttled"}
    )
    if passing:
        raise _away(error) from error
    return VerificationRefused(detail=said(error))


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"AWS does not answer: {error}", retry_after_ms=_RETRY_AFTER_MS)
