"""Consents as the wire shows them."""

from msgspec import Struct

from gateway.messages.view import timestamp
from tenants.consents import service
from tenants.ids import encode


class ConsentView(Struct, frozen=True, kw_only=True):
    """Where a number stands with a use case."""

    id: str
    """`con_…`."""
    number: str
    use_case: str
    type: str
    state: str
    """`pending`, `granted`, `withdrawn` or `expired`."""
    method: str
    text_hash: str | None
    """SHA-256 of the words; `/v1/consents/texts/{text_hash}` shows them."""
    since: str | None
    closes_at: str | None
    """Until when a pending one can be confirmed."""


class ConsentRecordView(Struct, frozen=True, kw_only=True):
    """A line of the ledger."""

    id: str
    use_case: str
    type: str
    event: str
    """`asked`, `granted`, `confirmed` or `withdrawn`."""
    method: str
    text_hash: str | None
    ip: str | None
    signer: str | None
    evidence: str | None
    keyword: str | None
    """The word that the person texted."""
    written_to: str | None
    """The number or short code to which the person texted it."""
    actor: str
    """`recipient`, `key_…` or `operator`."""
    given_at: str | None
    at: str | None
    """When it was written down."""


class ConsentHistory(Struct, frozen=True, kw_only=True):
    """All about a number."""

    number: str
    consents: list[ConsentView]
    records: list[ConsentRecordView]
    """The first 200 lines."""


class ConsentTextView(Struct, frozen=True, kw_only=True):
    """Words that people agreed to."""

    text_hash: str
    text: str


def consent_view(row: service.ConsentView) -> ConsentView:
    """Return a consent as the wire shows it."""
    return ConsentView(
        id=encode(service.PREFIX, row.id),
        number=row.number,
        use_case=row.use_case,
        type=row.message_type,
        state=row.state,
        method=row.method,
        text_hash=None if row.text_hash is None else row.text_hash.hex(),
        since=timestamp(row.since),
        closes_at=timestamp(row.closes_at),
    )


def record_view(row: service.RecordView) -> ConsentRecordView:
    """Return a line of the ledger as the wire shows it."""
    return ConsentRecordView(
        id=encode("cor", row.id),
        use_case=row.use_case,
        type=row.message_type,
        event=row.event,
        method=row.method,
        text_hash=None if row.text_hash is None else row.text_hash.hex(),
        ip=row.proof.ip,
        signer=row.proof.signer,
        evidence=row.proof.evidence,
        keyword=row.proof.keyword,
        written_to=row.proof.written_to,
        actor=row.actor,
        given_at=timestamp(row.given_at),
        at=timestamp(row.at),
    )
