"""
The errors that the emulated service answers with.

``AwsError`` is the only exception an operation raises; its ``code`` is the modelled exception name and its
``extras`` are the members beside ``Message``. Message texts follow the ones seen in public logs of the real
service; callers must branch on ``Reason``, never on the text.
"""

from typing import Any

import msgspec


class AwsError(Exception):
    """An answer of the service that is not a success."""

    def __init__(self, code: str, message: str, *, status: int = 400, **extras: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.extras = extras

    def body(self) -> bytes:
        """Return the JSON body as the json-1.0 protocol spells an error."""
        return msgspec.json.encode({"__type": self.code, "Message": self.message, **self.extras})


def validation(reason: str, message: str, *fields: str) -> AwsError:
    """Return a ValidationException for ``fields``, each explained by ``message``."""
    listed = [{"Name": name, "Message": message} for name in fields]
    return validation_of(reason, message, listed)


def validation_of(reason: str, message: str, fields: list[dict[str, str]]) -> AwsError:
    """Return a ValidationException whose fields carry their own messages."""
    names = ",".join(field["Name"] for field in fields)
    text = f'{message} - Reason="{reason}"' + (f' Fields="{names}"' if names else "")
    return AwsError("ValidationException", text, Reason=reason, Fields=fields)


def conflict(reason: str, resource_type: str, resource_id: str) -> AwsError:
    """Return a ConflictException about one resource."""
    text = f'Conflict Occurred - Reason="{reason}" ResourceType="{resource_type}" ResourceId="{resource_id}"'
    return AwsError(
        "ConflictException", text, Reason=reason, ResourceType=resource_type, ResourceId=resource_id
    )


def not_found(resource_type: str, resource_id: str) -> AwsError:
    """Return a ResourceNotFoundException; the service gives it no reason."""
    text = f'Resource not found - ResourceType="{resource_type}" ResourceId="{resource_id}"'
    return AwsError("ResourceNotFoundException", text, ResourceType=resource_type, ResourceId=resource_id)


def quota(reason: str) -> AwsError:
    """Return a ServiceQuotaExceededException."""
    return AwsError(
        "ServiceQuotaExceededException", f'Service quota exceeded - Reason="{reason}"', Reason=reason
    )


def access_denied(reason: str) -> AwsError:
    """Return an AccessDeniedException of the service itself, not of IAM."""
    return AwsError("AccessDeniedException", f'Access denied - Reason="{reason}"', Reason=reason)


def throttling() -> AwsError:
    """Return a ThrottlingException; SDKs retry it."""
    return AwsError("ThrottlingException", "Rate exceeded")


def internal(request_id: str) -> AwsError:
    """Return an InternalServerException; SDKs retry it, and a send may have happened."""
    return AwsError("InternalServerException", "Internal server error", status=500, RequestId=request_id)


def unavailable() -> AwsError:
    """Return the common 503 that any AWS front end may answer."""
    return AwsError("ServiceUnavailable", "Service is unable to handle request.", status=503)


def serialization(message: str) -> AwsError:
    """Return the common error for a body that is not the JSON object of the action."""
    return AwsError("SerializationException", message)


def unknown_operation(name: str) -> AwsError:
    """Return the common error for an action that the service does not have."""
    return AwsError("UnknownOperationException", f"Unknown operation: {name}")
