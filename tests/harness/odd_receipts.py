"""Delivery events that are authentic and no good: of nobody, of somebody else, or no events at all."""

import json
import random
from typing import Any
from uuid import UUID, uuid4

from tenants.ids import encode, new_uuid
from tests.harness.receipts import event

_NONSENSE: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e30,
    10**18,
    "",
    " ",
    "\x00",
    "\ud800",
    "x" * 5000,
    [],
    {},
    [[]],
    {"a": {"b": {}}},
)
_NEEDED = ("messageId", "messageStatus", "eventType", "eventTimestamp")


def odd_receipts(count: int, *, sound: UUID, seed: int) -> list[str]:
    """
    Return so many, each of its own and none of which may move any message.

    Args:
        sound: A message that is there, whose good name some of them abuse.
    """
    dice = random.Random(seed)
    kinds = (_unknown, _foreign, _maimed, _not_json, _wild)
    return [kinds[number % len(kinds)](dice, sound) for number in range(count)]


def _unknown(dice: random.Random, _: UUID) -> str:
    """Of a message that AWS knows and nobody here."""
    ours = new_uuid() if dice.random() < 0.5 else None
    return json.dumps(event(_status(dice), message_id=ours, provider_message_id=f"aws-{uuid4()}"))


def _foreign(dice: random.Random, sound: UUID) -> str:
    """Of another system that sends from the same account: its Context means nothing here, or nearly."""
    name = encode("msg", sound)
    theirs = dice.choice([name[:-1], name + "0", name.swapcase(), f"tpl_{name[4:]}", "msg_", str(sound)[:-1]])
    members = {"context": {"tg_m": theirs, "tg_a": dice.choice(["1", "x", "-1", "9" * 30])}}
    return json.dumps(event(_status(dice), provider_message_id=f"aws-{uuid4()}", **members))


def _maimed(dice: random.Random, _: UUID) -> str:
    """Without what an event needs, or with nonsense in its place."""
    made = event(_status(dice), provider_message_id=f"aws-{uuid4()}") | {"nonce": str(uuid4())}
    for name in dice.sample(_NEEDED, k=dice.randint(2, len(_NEEDED))):
        made[name] = dice.choice(_NONSENSE)
    return json.dumps(made)


def _not_json(dice: random.Random, sound: UUID) -> str:
    """Cut off, doubled, bare, or deeper than any reader goes."""
    whole = json.dumps(event("DELIVERED", message_id=sound, provider_message_id=f"aws-{uuid4()}"))
    nonce = str(uuid4())
    return dice.choice(
        [
            f'{{"nonce": "{nonce}", {whole[1 : dice.randrange(2, len(whole) - 1)]}',
            f"{nonce}{whole}",
            f'"{nonce}"',
            f"[{whole}]",
            nonce + "[" * 5000,
            "[" * 2000 + f'"{nonce}"' + "]" * 2000,
            f'{{"messageId": 1e{"9" * 30}, "nonce": "{nonce}"}}',
        ]
    )


def _wild(dice: random.Random, _: UUID) -> str:
    """Every member another one's, at random; never with an id of ours."""
    made = event(_status(dice), provider_message_id=f"aws-{uuid4()}")
    values = [*_NONSENSE, *made.values()]
    wild = {name: dice.choice(values) for name in made if dice.random() < 0.7} | {"nonce": str(uuid4())}
    return json.dumps(wild | {"messageId": dice.choice([f"aws-{uuid4()}", *_NONSENSE])})


def _status(dice: random.Random) -> str:
    return dice.choice(["DELIVERED", "QUEUED", "BLOCKED", "NEVER_HEARD_OF", "SUCCESSFUL"])
