"""What the console is joined to."""

from typing import Any, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from tenants.accounts.sealing import DataKey
from tenants.scope import TenantScope


class Fault(Struct, frozen=True, kw_only=True):
    """What is wrong with one field."""

    field: str
    """Where it stands, such as `/profile/website`."""
    detail: str


class Problem(Struct, frozen=True, kw_only=True):
    """Why the API said no, as far as a page tells it."""

    code: str = ""
    title: str = "That did not work"
    detail: str = "Nothing was changed."
    errors: list[Fault] = []


class Answer(Struct, frozen=True, kw_only=True):
    """What the API said."""

    status: int
    body: Any
    """Decoded JSON; None for an empty body."""

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 400  # noqa: PLR2004 - HTTP's own border

    @property
    def problem(self) -> Problem:
        """Why it was not done."""
        return msgspec.convert(self.body or {}, Problem)


def listed(onboarding: Any, question: str, member: str) -> list[Any]:
    """Return the list that a question's answer holds; empty where there is no answer."""
    answer: Any = onboarding["answers"][question]
    return [] if answer is None else list(answer[member])


class Ask(Protocol):
    """Asks the API inside the process, in a person's name or in the operator's."""

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        scope: TenantScope | None,
        once: str | None = None,
    ) -> Answer:
        """
        Return the API's answer.

        Args:
            path: With its query, if any.
            body: JSON's values, or bytes as they are.
            scope: Who asks; None for the operator.
            once: The Idempotency-Key, so that a form sent twice acts once.
        """
        ...


class DataKeySource(Protocol):
    """Unwraps tenants' data keys; `gateway.messages.keys.DataKeys` fits."""

    async def of(self, tenant_id: UUID) -> DataKey:
        """Return the key that opens what is sealed for the tenant."""
        ...
