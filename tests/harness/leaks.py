"""
What of one tenant another can see, over everything that a tenant's key may read.

Every tenant's words carry a mark of its own. Each asks all lists that the API describes, and every other
tenant's ids one by one; an answer with a foreign mark or a foreign id is a leak. A new endpoint is asked as
soon as it is described.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import httpx
from msgspec import Struct

_MARK = re.compile(r"mark(\d{4})q", re.IGNORECASE)
_TENANT = re.compile(r"\bten_[0-9A-Za-z]+")
_ONE_OF = re.compile(r"^(/v1/[a-z-]+)/\{[a-z_]+(?::str)?\}$")
_AT_ONCE = 4
_OK = 200
_NOT_ASKED = "/v1/admin"


def mark(number: int) -> str:
    """Return the word by which everything of a tenant is known."""
    return f"Mark{number:04}Q"


class Resident(Struct, frozen=True, kw_only=True):
    """A tenant as the check knows it."""

    number: int
    id: str
    slug: str
    key: str


class Sight(Struct, frozen=True, kw_only=True):
    """What was found."""

    leaks: list[str]
    asked: int
    """Answers that were read."""
    own: int
    """Of them those with the asker's own mark or id: a check that sees nothing proves nothing."""


async def look(client: httpx.AsyncClient, residents: Sequence[Resident]) -> Sight:
    """Let everybody ask for everything."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    lists = [path for path in paths if _is_list(path, paths[path])]
    details = {found.group(1) for path in paths if (found := _ONE_OF.match(path)) and "get" in paths[path]}
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(at: int) -> Sight:
        async with places:
            return await _of_one(client, residents, at, lists, details)

    sights = await asyncio.gather(*(one(at) for at in range(len(residents))))
    return Sight(
        leaks=[leak for sight in sights for leak in sight.leaks],
        asked=sum(sight.asked for sight in sights),
        own=sum(sight.own for sight in sights),
    )


async def _of_one(
    client: httpx.AsyncClient, residents: Sequence[Resident], at: int, lists: list[str], details: set[str]
) -> Sight:
    me, other = residents[at], residents[(at + 1) % len(residents)]
    leaks, asked, own = list[str](), 0, 0
    for path in [*lists, *(f"/p/{me.slug}/{page}" for page in ("terms", "privacy", "opt-in"))]:
        answer = await client.get(path, headers=_as(me))
        asked += 1
        seen = _seen(answer.text)
        own += bool(seen & _own(me))
        leaks += [f"{me.id} saw {each} at {path}" for each in sorted(seen - _own(me))]
    for path in sorted(details.intersection(lists)):
        theirs = (await client.get(path, headers=_as(other))).json().get("data", [])
        for each in theirs[:3]:
            if (wanted := each.get("id")) is None:
                continue
            answer = await client.get(f"{path}/{wanted}", headers=_as(me))
            asked += 1
            if answer.status_code == _OK:
                leaks.append(f"{me.id} read {wanted} of {other.id} at {path}")
    return Sight(leaks=leaks, asked=asked, own=own)


def _is_list(path: str, methods: dict[str, Any]) -> bool:
    return (
        path.startswith("/v1/") and not path.startswith(_NOT_ASKED) and "{" not in path and "get" in methods
    )


def _as(resident: Resident) -> dict[str, str]:
    return {"Authorization": f"Bearer {resident.key}"}


def _own(resident: Resident) -> set[str]:
    return {mark(resident.number).casefold(), resident.id}


def _seen(text: str) -> set[str]:
    return {found.group(0).casefold() for found in _MARK.finditer(text)} | set(_TENANT.findall(text))
