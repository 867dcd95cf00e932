"""
Taking away what somebody else wrote under tenants' keys, which no script of admission can read.

It looks at every key there is, so it is for an operator who asks for it, and for no loop.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from gateway.lanes.scripts import Argument, RedisScripts, read_script

_MEND: Final = read_script("gateway.admission", "mend.lua")
_TENANTS: Final = "{t:"
_OF_A_TENANT: Final = re.compile(rb"(\{t:[0-9a-f]{32}\}):(.+)", re.DOTALL)
_AT_ONCE: Final = 500
_KINDS: Final[Mapping[bytes, str]] = {
    b"policy": "hash",
    b"optout:": "set",
    b"override:": "hash",
    b"journal": "list",
    b"next:override/": "hash",
    b"next:": "set",
    b"rate": "number",
    b"test:rate": "number",
    b"day:": "number",
    b"pump:": "hash",
}
"""
By what keys begin with behind the tenant; a lock is as good as another string. See `admit.lua`, `project.lua`
and `pumping.lua`.
"""

_Key = tuple[bytes, str]
"""A key without the tenant, and the kind that it has to be of."""


async def take_away_foreign(scripts: RedisScripts) -> int:
    """Leave under tenants' keys only what is of the kind written there; returns how many keys went."""
    taken = 0
    for prefix, keys in _by_tenant(await scripts.names(_TENANTS)).items():
        for start in range(0, len(keys), _AT_ONCE):
            arguments: list[Argument] = [each for key in keys[start : start + _AT_ONCE] for each in key]
            taken += int((await scripts.run(_MEND, prefix, arguments))[0])
    return taken


def _by_tenant(names: Sequence[bytes]) -> Mapping[str, list[_Key]]:
    found: dict[str, list[_Key]] = {}
    for name in names:
        if (ours := _OF_A_TENANT.fullmatch(name)) is None:
            continue
        prefix, rest = ours.groups()
        kind = next((_KINDS[begins] for begins in _KINDS if rest.startswith(begins)), None)
        if kind is not None:
            found.setdefault(prefix.decode("ascii"), []).append((rest, kind))
    return found
