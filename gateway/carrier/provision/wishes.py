"""Which sender a country gets when the operator names none, and what no wish gets. Pure, by AWS's table."""

from gateway.carrier.provision.ports import SenderType, SenderWish
from tenants.countries.facts import by_iso

_MAX_SENDER_ID = 11
_MIN_SENDER_ID = 3


def default_wishes(country: str, slug: str) -> tuple[SenderWish, ...]:
    """
    Return the cheapest senders that AWS provides in the country without a registration first, or none.

    Together they carry every type of message: a sender id carries all of them, numbers come in pairs,
    because a number is either promotional or not. The United States have neither sender ids nor
    unregistered numbers; toll-free ones are the quickest to get there (15 business days of review).
    """
    facts = by_iso().get(country)
    if facts is None:
        return ()
    if country == "US":
        return _pair(country, "TOLL_FREE")
    if facts.sender_id == "yes":
        return (SenderWish(country=country, type="SENDER_ID", value=sender_id_of(slug)),)
    return _pair(country, "LONG_CODE") if facts.long_code else ()


def _pair(country: str, kind: SenderType) -> tuple[SenderWish, SenderWish]:
    return (
        SenderWish(country=country, type=kind, message_types=("otp", "transactional")),
        SenderWish(country=country, type=kind, message_types=("promotional",)),
    )


def sender_id_of(slug: str) -> str:
    """Return a sender id made of a slug: 3 to 11 letters and digits, with a letter among them."""
    letters = "".join(character for character in slug.upper() if character.isalnum())[:_MAX_SENDER_ID]
    if len(letters) < _MIN_SENDER_ID or letters.isdigit():
        letters = f"TG{letters}"[:_MAX_SENDER_ID].ljust(_MIN_SENDER_ID, "X")
    return letters


def sender_id_bar(country: str) -> str | None:
    """Return why AWS gives no sender id in the country for the asking, with the way out; None if it does."""
    facts = by_iso().get(country)
    if facts is None or facts.sender_id == "yes":
        return None
    if facts.sender_id == "no":
        return f"{country} has no sender ids: wish for a number there"
    return f"{country} gives sender ids by registration only: register this one first, then provision it"


def needs_number(sender_type: SenderType) -> bool:
    """Return whether the sender is a phone number rather than a sender id."""
    return sender_type != "SENDER_ID"
