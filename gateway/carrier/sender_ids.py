"""Sender ids in one AWS account: request, protect, list."""

from typing import Any, Final
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from gateway.carrier.control_calls import Control, client_token
from gateway.carrier.registrations import AwsRefusal, refusal_in
from tenants.ids import encode

TENANT_TAG: Final = "tollgate-tenant"
_EXISTS: Final = "RESOURCE_ALREADY_EXISTS"
_TRANSACTIONAL: Final = frozenset({"otp", "transactional"})


class SeenSenderId(Struct, frozen=True, kw_only=True):
    """A sender id as AWS describes it."""

    arn: str
    value: str
    country: str
    message_types: tuple[str, ...]
    """The gateway's types."""
    monthly_usd: str
    protected: bool
    created: bool = False
    """Whether this request made it."""


class AwsSenderIds:
    """One account's; lives as long as the client it is given."""

    def __init__(self, control: Control) -> None:
        self._control = control

    async def request(
        self, tenant_id: UUID, account_id: UUID, value: str, country: str, message_types: list[str]
    ) -> SeenSenderId:
        """
        Request a sender id with deletion protection and a tag, or return the one that is there.

        Raises:
            AwsRefusal: AWS said no, or does not answer.
        """
        try:
            made = await self._control.call(
                "request_sender_id",
                SenderId=value,
                IsoCountryCode=country,
                MessageTypes=_at_aws(message_types),
                DeletionProtectionEnabled=True,
                Tags=[{"Key": TENANT_TAG, "Value": encode("ten", tenant_id)}],
                ClientToken=client_token(
                    tenant_id, "bulk-sender-id", str(account_id), value, country, *_at_aws(message_types)
                ),
            )
        except ClientError as error:
            if error.response.get("Reason") != _EXISTS:
                raise refusal_in(error) from error
            return await self._described(value, country)
        except BotoCoreError as error:
            raise _silent(error) from error
        return _seen(made, created=True)

    async def protect(self, seen: SeenSenderId) -> None:
        """
        Let nobody delete it by mistake.

        Raises:
            AwsRefusal: AWS said no, or does not answer.
        """
        await self._call(
            "update_sender_id",
            SenderId=seen.value,
            IsoCountryCode=seen.country,
            DeletionProtectionEnabled=True,
        )

    async def every_one(self) -> list[SeenSenderId]:
        """
        Return all of the account's own.

        Raises:
            AwsRefusal: AWS said no, or does not answer.
        """
        found: list[SeenSenderId] = []
        token: dict[str, str] = {}
        while True:
            page = await self._call("describe_sender_ids", **token)
            found += [_seen(each) for each in page["SenderIds"]]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    async def _described(self, value: str, country: str) -> SeenSenderId:
        named = [{"SenderId": value, "IsoCountryCode": country}]
        page = await self._call("describe_sender_ids", SenderIds=named)
        return _seen(page["SenderIds"][0])

    async def _call(self, action: str, **members: Any) -> dict[str, Any]:
        try:
            return await self._control.call(action, **members)
        except ClientError as error:
            raise refusal_in(error) from error
        except BotoCoreError as error:
            raise _silent(error) from error


def _silent(error: BotoCoreError) -> AwsRefusal:
    return AwsRefusal("passing", type(error).__name__, f"AWS does not answer: {error}")


def _at_aws(message_types: list[str]) -> list[str]:
    """AWS knows two types; one-time passwords are transactional there."""
    kinds = ["TRANSACTIONAL"] if _TRANSACTIONAL & set(message_types) else []
    return [*kinds, *(["PROMOTIONAL"] if "promotional" in message_types else [])]


def _seen(shown: dict[str, Any], *, created: bool = False) -> SeenSenderId:
    kinds = shown["MessageTypes"]
    return SeenSenderId(
        arn=shown["SenderIdArn"],
        value=shown["SenderId"],
        country=shown["IsoCountryCode"],
        message_types=(
            *(("otp", "transactional") if "TRANSACTIONAL" in kinds else ()),
            *(("promotional",) if "PROMOTIONAL" in kinds else ()),
        ),
        monthly_usd=str(shown["MonthlyLeasingPrice"]),
        protected=bool(shown["DeletionProtectionEnabled"]),
        created=created,
    )
