"""Built-in keywords, and finding the one that an inbound message begins with."""

from collections.abc import Iterable

from gateway.emulator.state.records import Keyword, PhoneNumber, Pool

STOP_WORDS = frozenset(
    {"STOP", "ARRET", "CANCEL", "END", "OPT-OUT", "OPTOUT", "QUIT", "REMOVE", "TD", "UNSUBSCRIBE"}
)
"""Words that count as STOP."""

HELP_TEXT = "Reply STOP to end messages."
STOP_TEXT = "You are unsubscribed and will receive no more messages."


def default_keywords(owner: PhoneNumber | Pool) -> dict[str, Keyword]:
    """Return HELP and STOP as they are until someone changes their texts."""

    def built_in(word: str, message: str, action: str) -> Keyword:
        return Keyword(scope=owner.scope, owner_id=owner.id, keyword=word, message=message, action=action)

    stop = {"STOP": built_in("STOP", STOP_TEXT, "OPT_OUT")}
    if isinstance(owner, PhoneNumber) and owner.number_type == "TOLL_FREE":
        return stop
    return {"HELP": built_in("HELP", HELP_TEXT, "AUTOMATIC_RESPONSE"), **stop}


def matched(body: str, keywords: Iterable[Keyword]) -> Keyword | None:
    """Return the longest keyword that a message begins with, whatever the case."""
    text = body.strip().upper()
    first_word = text.split(maxsplit=1)[0] if text else ""
    if first_word in STOP_WORDS:
        text = "STOP"
    hits = [each for each in keywords if text == each.keyword or text.startswith(each.keyword + " ")]
    return max(hits, key=lambda each: len(each.keyword), default=None)
