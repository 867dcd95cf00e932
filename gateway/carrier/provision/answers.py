"""What work at AWS comes to: its result, AWS's refusal as a value, or its silence as an error."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from gateway.carrier.control_calls import StepRefused, said
from gateway.carrier.provision.ports import ProvisionRefused
from gateway.errors import Unavailable

_T = TypeVar("_T")


async def answered(work: Callable[[], Awaitable[_T]]) -> _T | ProvisionRefused:
    """
    Return what the work returns, or why AWS, its client or a step of ours refused it.

    Raises:
        Unavailable: AWS does not answer.
    """
    try:
        return await work()
    except StepRefused as refusal:
        return ProvisionRefused(detail=str(refusal))
    except (ClientError, ParamValidationError) as error:
        return ProvisionRefused(detail=said(error))
    except BotoCoreError as error:
        raise Unavailable(f"AWS does not answer: {error}") from error
