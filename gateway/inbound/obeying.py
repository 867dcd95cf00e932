"""
What a text that came in changes, and who answers it. Pure.

Three parties may keep the opt-outs of a number. `managed`: AWS answers its own ten STOP words and HELP, and
refuses on its side; every other word is the gateway's. `carrier`: the network answers STOP on a toll-free
number and blocks it; START and UNSTOP alone lift that. `self_managed`: the gateway answers everything.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from gateway.messages.rulings import ReplyKind
from tenants.consents.rules import MessageType
from tenants.keywords.folding import squeezed, words_of
from tenants.keywords.matching import Action, Match
from tenants.keywords.words import NETWORK_STARTS, NETWORK_STOPS, STOP_WORDS
from tenants.optouts.lists import EVERYTHING, stops

Mode = Literal["managed", "self_managed", "carrier"]
StopScope = Literal["everything", "use_case"]
Answerer = Literal["none", "due", "withheld", "by_aws", "by_carrier"]

ONE_A: Final = timedelta(minutes=1)
"""A phone gets at most one automatic reply in this time."""
MOST_AN_HOUR: Final = 10
"""Past this the other side is taken for a machine; only the confirmation of an opt-out is still sent."""
AWS_LETS_GO: Final = timedelta(seconds=30)
"""After an opt-in on a managed number AWS's own list has to be told before AWS takes a reply."""
_TELLING: Final = 20
"""Letters; a shorter text of ours may stand in anybody's words."""
_TYPES: Final[frozenset[MessageType]] = frozenset({"otp", "transactional", "promotional"})
_NOT_AWS: Final = frozenset({"stopall", "revoke"})
AWS_STOPS: Final = frozenset(squeezed(word) for word in STOP_WORDS["en"]) - _NOT_AWS
_AWS_HELP: Final = "help"
_KINDS: Final[dict[Action, ReplyKind]] = {
    "opt_out": "stop",
    "opt_in": "join",
    "help": "help",
    "reply": "own",
}


class Situation(Struct, frozen=True, kw_only=True):
    """All that the decision rests on."""

    match: Match | None
    body: str
    mode: Mode
    stop_scope: StopScope
    message_types: frozenset[str]
    """What the number carries."""
    standing: Mapping[str, str]
    """The lists on which the person stands, with how that came."""
    answerable: bool
    """Whether a person wrote: a number that can be texted, and none of the tenant's own."""
    our_texts: Collection[str]
    """What is answered automatically; a text that quotes it comes from a machine."""
    last_reply_at: datetime | None
    replies_this_hour: int
    now: datetime


class Obeyed(Struct, frozen=True, kw_only=True):
    """What to do."""

    action: Action | None
    put: tuple[str, ...] = ()
    """Lists to put the person on."""
    take: tuple[str, ...] = ()
    """Lists to take the person off."""
    by_network: bool = False
    """Whether the carrier's network has done the same."""
    agreed: tuple[MessageType, ...] = ()
    """Message types that a person agrees to get; none where a machine wrote, or a list still stops them."""
    reply: ReplyKind | None = None
    """What to answer; None where nothing is, or others do."""
    reply_at: datetime | None = None
    answerer: Answerer = "none"
    detail: str | None = None
    """Why nothing is answered."""


def obey(seen: Situation) -> Obeyed:
    """Return what a text changes and what it is answered."""
    if seen.match is None:
        return Obeyed(action=None)
    match seen.match.action:
        case "opt_out":
            return _stop(seen, seen.match)
        case "opt_in":
            return _join(seen, seen.match)
        case "help":
            return _help(seen, seen.match)
        case "reply":
            return _own(seen)


def _stop(seen: Situation, word: Match) -> Obeyed:
    put = tuple(name for name in _stopped(seen, word) if name not in seen.standing)
    if seen.mode == "carrier" and words_of(seen.body)[0] in NETWORK_STOPS:
        return Obeyed(action="opt_out", put=put, by_network=True, answerer="by_carrier")
    if seen.mode == "managed" and _is_aws_stop(word):
        return Obeyed(action="opt_out", put=put, answerer="by_aws")
    if not put:
        return Obeyed(action="opt_out", detail="confirmed when the person opted out")
    return _answered(seen, "opt_out", put=put)


def _join(seen: Situation, word: Match) -> Obeyed:
    done = _joined(seen, word)
    return replace(done, agreed=_agreed(seen, word, done))


def _joined(seen: Situation, word: Match) -> Obeyed:
    take, put = _restored(seen, word)
    if seen.mode == "carrier":
        if squeezed(seen.body) in NETWORK_STARTS:
            return Obeyed(action="opt_in", take=take, put=put, by_network=True, answerer="by_carrier")
        if "carrier" in {seen.standing[name] for name in take}:
            detail = "the carrier's network blocks the number until the person texts START or UNSTOP"
            return Obeyed(action="opt_in", answerer="withheld", detail=detail)
    return _answered(seen, "opt_in", take=take, put=put)


def _help(seen: Situation, word: Match) -> Obeyed:
    if seen.mode == "managed" and word.own is None and squeezed(word.word) == _AWS_HELP:
        return Obeyed(action="help", answerer="by_aws")
    return _answered(seen, "help")


def _own(seen: Situation) -> Obeyed:
    return _answered(seen, "reply")


def _answered(
    seen: Situation, action: Action, *, put: tuple[str, ...] = (), take: tuple[str, ...] = ()
) -> Obeyed:
    """Order the reply, put it off or withhold it; what the text changes stands in any case."""
    kind = _KINDS[action]
    why_not = _silent(seen, kind, news=bool(put or take))
    if why_not is not None:
        return Obeyed(action=action, put=put, take=take, answerer="withheld", detail=why_not)
    at = seen.now if seen.last_reply_at is None else max(seen.now, seen.last_reply_at + ONE_A)
    if take and seen.mode == "managed":
        at = max(at, seen.now + AWS_LETS_GO)
    return Obeyed(action=action, put=put, take=take, reply=kind, reply_at=at, answerer="due")


def _silent(seen: Situation, kind: ReplyKind, *, news: bool) -> str | None:
    """Return why a reply would feed a loop, or None. A confirmation waits its minute instead of failing."""
    if not seen.answerable:
        return "not written by a person's phone"
    if _quotes(seen.body, seen.our_texts):
        return "the text quotes an automatic reply"
    if kind == "stop":
        return None
    if seen.replies_this_hour >= MOST_AN_HOUR:
        return f"{MOST_AN_HOUR} automatic replies went to this phone within an hour"
    too_soon = seen.last_reply_at is not None and seen.now < seen.last_reply_at + ONE_A
    return "a minute has not passed since the last automatic reply" if too_soon and not news else None


def _quotes(body: str, texts: Collection[str]) -> bool:
    said = squeezed(body)
    return any(len(ours := squeezed(text)) > _TELLING and ours in said for text in texts)


def _stopped(seen: Situation, word: Match) -> tuple[str, ...]:
    """Return the lists that a STOP on this number means."""
    if word.own is not None and word.own.list_name is not None:
        return (word.own.list_name,)
    if word.everything or seen.stop_scope == "everything":
        return (EVERYTHING,)
    types = _types(seen)
    return (EVERYTHING,) if types == _TYPES else tuple(sorted(types))


def _restored(seen: Situation, word: Match) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Return the lists that a JOIN takes the person off, and those that must take the place of `all`.

    Who stopped everything and joins one use case again still wants nothing of the others.
    """
    if word.own is not None and word.own.list_name is not None:
        wanted: tuple[str, ...] = (word.own.list_name,)
    else:
        wanted = (EVERYTHING, *sorted(_types(seen)))
    take = tuple(name for name in wanted if name in seen.standing)
    if seen.stop_scope != "use_case" or EVERYTHING not in take:
        return take, ()
    return take, tuple(sorted(_TYPES - _types(seen) - seen.standing.keys()))


def _agreed(seen: Situation, word: Match, done: Obeyed) -> tuple[MessageType, ...]:
    """Return the types for which a JOIN is a person's word; a topic's own list is no message type."""
    if not seen.answerable or _quotes(seen.body, seen.our_texts):
        return ()
    named = None if word.own is None else word.own.list_name
    meant = _types(seen) if named is None else {named}
    stands = (seen.standing.keys() - set(done.take)) | set(done.put)
    return tuple(sorted(each for each in _TYPES if each in meant and not stops(stands, each)))


def _types(seen: Situation) -> frozenset[str]:
    return seen.message_types or _TYPES


def _is_aws_stop(word: Match) -> bool:
    return word.own is None and squeezed(word.word) in AWS_STOPS
