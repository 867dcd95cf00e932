"""A send that is being decided: what was asked for, and what has been found out about it so far."""

import msgspec

from gateway.emulator.carrier.parts import Sizing
from gateway.emulator.operations.lookups import Identity
from gateway.emulator.state.records import ConfigurationSet, PhoneNumber, Pool, SenderId

CAPABILITIES = {"TEXT": "SMS", "MEDIA": "MMS", "VOICE": "VOICE"}


class Draft(msgspec.Struct, kw_only=True):
    """One send before it is accepted."""

    channel: str
    destination: str
    country: str
    body: str
    sizing: Sizing
    message_type: str
    configuration_set: ConfigurationSet | None
    identity: Identity | None
    """What the caller named, found."""
    price_micros: int
    """The whole message, without fee."""
    fee_micros: int
    protect_id: str | None = None
    protect_status: str | None = None
    pool: Pool | None = None
    """The pool that the sender was taken from."""
    sender: PhoneNumber | SenderId | None = None
    """Who sends; None is a shared route."""

    @property
    def capability(self) -> str:
        """SMS, MMS or VOICE."""
        return CAPABILITIES[self.channel]

    @property
    def origination(self) -> str | None:
        """What the recipient sees."""
        if isinstance(self.sender, PhoneNumber):
            return self.sender.number
        return self.sender.sender_id if self.sender else None

    @property
    def opt_out_list(self) -> str:
        """The list that counts: the pool's, else the number's, else the account's."""
        if self.pool is not None:
            return self.pool.opt_out_list
        return self.sender.opt_out_list if isinstance(self.sender, PhoneNumber) else "Default"
