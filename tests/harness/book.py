"""
The money of one tenant in thirty lines: what the ledger has to come to, told another way.

No transfers and no accounts: a purse, and what each message was paid and what of it the platform bore.
"""

from dataclasses import dataclass, field

FREE = frozenset({"failed", "canceled"})


@dataclass
class Sent:
    """One message as far as money goes."""

    hold: int
    unit: str
    settled: bool = False
    paid: int = 0
    borne: int = 0
    """By the platform; negative where it kept what it could not give back."""
    refunded: int = 0
    """By corrections."""
    cost: int = 0
    included: int = 0
    """Parts that the bundle covers."""
    free: bool = False
    """Whether it cost nothing after all."""


@dataclass
class Book:
    """The purse and its messages."""

    unit: str = "micros"
    available: int = 0
    messages: dict[object, Sent] = field(default_factory=dict)
    allowance: int = 0
    """Parts that the bundle includes."""
    drawn: int = 0
    """What messages that cost something have drawn on it."""

    @property
    def held(self) -> int:
        """What is promised to messages under way."""
        return sum(sent.hold for sent in self.messages.values() if not sent.settled)

    def move(self, amount: int) -> bool:
        """Top up, adjust or correct; False if there is not so much."""
        if self.available + amount < 0:
            return False
        self.available += amount
        return True

    def hold(self, name: object, price: int, *, parts: int = 0) -> bool:
        """Accept a message, of which the bundle may cover some `parts`; False if there is not so much."""
        included = max(0, min(parts, self.allowance - self.drawn)) if parts else 0
        if included:
            price = price // parts * (parts - included)
        if price > self.available:
            return False
        self.available -= price
        self.messages[name] = Sent(hold=price, unit=self.unit, included=included)
        self.drawn += included
        return True

    def judge(self, name: object, *, free: bool) -> None:
        """Say whether a message cost something, which may change with every receipt."""
        sent = self.messages[name]
        self.drawn += sent.included * (sent.free - free)
        sent.free = free

    def settle(self, name: object, target: int) -> None:
        """Bring a message to its price, the first time or again."""
        sent = self.messages[name]
        owed = min(target, sent.hold)
        if not sent.settled:
            sent.settled, sent.paid = True, owed
            self.available += sent.hold - owed
            return
        more = owed - sent.paid - sent.borne
        if sent.unit != self.unit:
            sent.borne += more
        elif more > 0:
            kept = min(max(0, -sent.borne), more)
            taken = min(more - kept, self.available)
            self.available -= taken
            sent.paid += taken
            sent.borne += more - taken
        elif more < 0:
            given = -more - min(sent.borne, -more)
            self.available += given
            sent.paid -= given
            sent.borne += more + given

    def change_unit(self, unit: str) -> bool:
        """Change the plan's unit; False while there is money in the purse or promised from it."""
        if self.available or self.held:
            return False
        self.unit = unit
        return True


def price_of(hold: int, status: str, *, accepted: bool, aws_price: int | None) -> int:
    """Return what a message costs that ended so."""
    if status in FREE:
        return 0
    if status == "delivered":
        return hold
    return hold if accepted and aws_price != 0 else 0
