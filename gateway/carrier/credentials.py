"""
The keys that a route's calls are signed with, asked for before anything is on the wire.

botocore finds and refreshes them; here they are looked up once a second at most, by one task that all waiting
calls share, and with a bound: a mark's lease runs while a call waits for its keys. Nobody waits while those
at hand live for minutes, nor does a refusal end them. Whatever else goes wrong is `KeysMissing`, and so
`NotSent`: no byte of the message has left.
"""

import asyncio
import time
from typing import Any, Protocol, cast

import structlog
from botocore.exceptions import ClientError, NoCredentialsError

from gateway.carrier.aws_reasons import OF_KEYS
from gateway.carrier.ports import NotSent, Outcome
from gateway.errors import GatewayError
from gateway.telemetry import metrics

_log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 1.0
_PATIENCE_S = 3.0
"""With a fresh mark (5 s), connect and read (12 s) it stays inside the lease of 30 s."""
_ENOUGH_S = 300
"""
Keys that live as long are used while new ones are asked for. botocore asks 15 minutes before they end, and
lets whoever asks wait for the answer.
"""

_RENEW_EVERY_S = 60.0
"""Between two sessions that are asked for because AWS refused the one before."""


class Keys(Protocol):
    """botocore's frozen credentials: what one signature needs."""

    access_key: str
    secret_key: str
    token: str | None


class KeySource(Protocol):
    """The part of an aioboto3 session that knows credentials."""

    async def get_credentials(self) -> Any:
        """Return botocore's credentials object, or None where there are none."""
        ...


class KeysMissing(GatewayError):
    """There are no usable credentials now; the text is for the operator."""


class RouteKeys:
    """One route's credentials."""

    def __init__(self, source: KeySource, *, route: str) -> None:
        self._source = source
        self._route = route
        self._credentials: Any = None
        self._keys: Keys | None = None
        self._problem = ""
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._refused = False
        self._renewed_at = float("-inf")

    async def current(self) -> Keys:
        """
        Return keys that are good now; the refresh before they expire is botocore's.

        Raises:
            KeysMissing: There are none, the role was not assumed, or whoever grants them does not answer.
        """
        if time.monotonic() - self._looked_at > _LOOK_EVERY_S:
            await self._look()
        if self._keys is None:
            raise KeysMissing(self._problem)
        return self._keys

    def judged(self, outcome: Outcome) -> Outcome:
        """
        Return what came of a call that these keys signed, and note where AWS did not take them.

        A role's sessions can be revoked before their end. A new one is asked for at the next look; the keys
        at hand are used until there is one.
        """
        if isinstance(outcome, NotSent) and outcome.reason in OF_KEYS:
            self._refused = True
        return outcome

    async def _look(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._find())
        looking = self._looking
        if self._are_enough():
            return
        await asyncio.wait({looking}, timeout=_PATIENCE_S)
        if not looking.done():
            raise KeysMissing("no credentials in time: whoever grants them does not answer")

    async def _find(self) -> None:
        try:
            self._credentials = await _found(self._source)
            await self._renew()
            self._keys, self._problem = cast("Keys", await self._credentials.get_frozen_credentials()), ""
        except Exception as error:  # noqa: BLE001 - told to the operator and to every call that waits
            self._problem = problem_of(error)
            if self._are_enough():
                _log.warning("route_credentials_not_renewed", route=self._route, problem=self._problem)
            else:
                self._keys = None
                _log.error("route_without_credentials", route=self._route, problem=self._problem)
        finally:
            self._looked_at = time.monotonic()
            self._looking = None
            metrics.ROUTE_CREDENTIALS.labels(self._route).set(self._keys is not None)

    async def _renew(self) -> None:
        """Ask for a new session where AWS refused the one at hand, and not again at every refusal."""
        renew = getattr(self._credentials, "renew", None)
        if not self._refused or renew is None or time.monotonic() - self._renewed_at < _RENEW_EVERY_S:
            return
        self._refused, self._renewed_at = False, time.monotonic()
        _log.warning("route_credentials_refused", route=self._route)
        await renew()

    def _are_enough(self) -> bool:
        """Whether the keys at hand live for some minutes; those without an end always do."""
        if self._keys is None or self._credentials is None:
            return False
        ends_within = getattr(self._credentials, "refresh_needed", None)
        return ends_within is None or not ends_within(refresh_in=_ENOUGH_S)


async def _found(source: KeySource) -> Any:
    found = await source.get_credentials()
    if found is None:
        raise NoCredentialsError
    return found


def problem_of(error: Exception) -> str:
    """Return what a failure to get credentials says, in words for the operator."""
    if isinstance(error, NoCredentialsError):
        return "no credentials: set the usual AWS variables, a profile or an instance role"
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return f"{error.operation_name} was refused: {said.get('Code')}: {said.get('Message')}"
    return f"{type(error).__name__}: {error}"
