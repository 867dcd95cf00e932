"""Calls that change or describe what an AWS account has: at their turn, safe to repeat, refused in words."""

import hashlib
from typing import Any
from uuid import UUID

from botocore.exceptions import ClientError, ParamValidationError

from gateway.carrier.pace import Turns
from gateway.faultpoints import FaultPoint, fp


class StepRefused(Exception):
    """AWS said no to a step; the text is for the operator."""


class Control:
    """Paced control calls whose refusals name the action."""

    def __init__(self, client: Any, pace: Turns) -> None:
        self._client = client
        self._pace = pace

    async def call(self, action: str, **members: Any) -> dict[str, Any]:
        """Call an action at its turn."""
        await self._pace.turn(action)
        answer: dict[str, Any] = await getattr(self._client, action)(**members)
        return answer

    async def find(self, action: str, **members: Any) -> dict[str, Any] | None:
        """Call an action that describes; None where AWS has no such thing."""
        try:
            return await self.call(action, **members)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
                return None
            raise

    async def make(self, action: str, **members: Any) -> dict[str, Any] | None:
        """Call an action that creates; None where the thing is there already."""
        try:
            made = await self.call(action, **members)
        except ClientError as error:
            if error.response.get("Reason") in {"RESOURCE_ALREADY_EXISTS", "RESOURCE_ALREADY_ASSOCIATED"}:
                return None
            raise StepRefused(said(error)) from error
        await fp(FaultPoint.PROVISION_MADE)
        return made


def said(error: ClientError | ParamValidationError) -> str:
    """Return AWS's refusal, or that of its client which asked nothing, as a sentence for the operator."""
    if isinstance(error, ParamValidationError):
        return f"AWS takes no such request: {'; '.join(str(error).splitlines())}"
    response: Any = error.response
    reason = response.get("Reason")
    said = response.get("Error", {}).get("Message", str(error))
    return f"AWS refused {error.operation_name}: {said}" + (f" ({reason})" if reason else "")


def client_token(tenant_id: UUID, kind: str, *parts: str) -> str:
    """Return a ClientToken that a second run of the same step repeats, so that AWS makes nothing twice."""
    digest = hashlib.sha256("\x1f".join((tenant_id.hex, kind, *parts)).encode()).hexdigest()
    return f"tg-{digest[:48]}"
