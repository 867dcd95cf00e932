"""What proving a phone at the carrier asks, and what comes of it."""

from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from msgspec import Struct

CodeChannel = Literal["sms", "voice"]
CodeLanguage = Literal[
    "de-DE",
    "en-GB",
    "en-US",
    "es-419",
    "es-ES",
    "fr-CA",
    "fr-FR",
    "it-IT",
    "ja-JP",
    "ko-KR",
    "pt-BR",
    "zh-CN",
    "zh-TW",
]
"""The languages in which AWS words its codes."""


class CodeSent(Struct, frozen=True, kw_only=True, tag="code_sent"):
    """A code is on its way; AWS alone knows it."""


class KnownAtAws(Struct, frozen=True, kw_only=True, tag="known"):
    """AWS has the number as verified already."""


class CodeRight(Struct, frozen=True, kw_only=True, tag="right"):
    """The code was the one that AWS sent; the account reaches the number now."""


class CodeWrong(Struct, frozen=True, kw_only=True, tag="wrong"):
    """It was another."""


class CodeExpired(Struct, frozen=True, kw_only=True, tag="expired"):
    """AWS takes this code no longer."""


class VerificationRefused(Struct, frozen=True, kw_only=True, tag="refused"):
    """AWS said no; the text is its own."""

    detail: str


Sending: TypeAlias = CodeSent | KnownAtAws | VerificationRefused
Checking: TypeAlias = CodeRight | CodeWrong | CodeExpired | VerificationRefused


class Entry(Struct, frozen=True, kw_only=True):
    """A number among the verified destination numbers of an account."""

    aws_id: str
    verified: bool
    created: bool
    """Whether this call made it."""


class NumberVerifier(Protocol):
    """Proves phones in an AWS account; `gateway.carrier.verifying.AwsNumberVerifier` fits."""

    async def enter(self, account_id: UUID, number: str) -> Entry | VerificationRefused:
        """
        Return the account's entry of a number, made now where there is none.

        Raises:
            gateway.errors.Unavailable: AWS does not answer; asking again is safe.
        """
        ...

    async def send_code(
        self, account_id: UUID, aws_id: str, *, channel: CodeChannel, language: CodeLanguage
    ) -> Sending:
        """
        Let AWS send a code to the phone; it ends those before it.

        Raises:
            gateway.errors.Unavailable: AWS does not answer; a code may be on its way.
        """
        ...

    async def check(self, account_id: UUID, aws_id: str, code: str) -> Checking:
        """
        Ask AWS whether a code is the one that it sent.

        Raises:
            gateway.errors.Unavailable: AWS does not answer; asking again is safe.
        """
        ...

    async def forget(self, account_id: UUID, aws_id: str) -> bool:
        """Delete an entry; False where AWS keeps it, as it does for a day, or does not answer."""
        ...
