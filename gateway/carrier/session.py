"""The one thing the carrier needs of aioboto3: a client by service name."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, cast

import aioboto3


class AwsSession(Protocol):
    """An aioboto3 session; its own stub is an overload per AWS service, most of them of unknown types."""

    def client(self, service_name: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        """Open a client; credentials are found as every AWS SDK finds them."""
        ...


def open_session() -> AwsSession:
    """Return a session on the process's own AWS credentials."""
    return cast("AwsSession", aioboto3.Session())
