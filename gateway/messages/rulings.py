"""What the rules added to a message at its accept; nearly all messages have nothing of it."""

from collections.abc import Mapping

from msgspec import Struct

from gateway.messages.view import StatusReason


class Rulings(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stored with the message, as JSON."""

    held: StatusReason | None = None
    """Why it leaves later than it was asked to."""
    country_parameters: Mapping[str, str] | None = None
    """DestinationCountryParameters of SendTextMessage."""
