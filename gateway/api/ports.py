"""What the routes need from below the edge, as shapes: fakes and the real things fit alike."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from gateway.admission.pumping import HeldPrefix
from gateway.intake.explaining import Explanation
from gateway.intake.outcome import Accepted, Declined, Estimate, RateState
from gateway.intake.request import SendRequest
from gateway.intake.together import SendInBatch
from gateway.lanes.survey import LaneSight
from gateway.media.kinds import MediaRefused
from gateway.media.models import MediaFile
from gateway.messages.view import MessageView
from gateway.receipts.dead_letter import DeadLetter
from gateway.receipts.firehose import Posted, Taken
from gateway.receipts.parked import Parked, Retried
from tenants.accounts.sealing import DataKey
from tenants.registrations.bulk_sender_ids import SenderIdDrift
from tenants.registrations.checking import Value
from tenants.registrations.forms import Form, FormType
from tenants.registrations.models import Registration, RegistrationVersion
from tenants.scope import TenantScope


class Sends(Protocol):
    """Takes a message or says why not; `gateway.intake.sending.Sending` fits."""

    async def send(
        self,
        scope: TenantScope,
        request: SendRequest,
        *,
        idempotency_key: str | None,
        fingerprint: bytes | None,
    ) -> Accepted | Declined:
        """Accept a message durably, or decline it with nothing stored and nothing held."""
        ...

    async def send_together(
        self, scope: TenantScope, sends: Sequence[SendInBatch]
    ) -> Sequence[Accepted | Declined | BaseException] | Declined:
        """
        Accept or decline each of a batch's messages; what failed is an exception in its place.

        One refusal stands for all where the batch came too soon: it is one request to the request rate.
        """
        ...

    async def estimate(self, scope: TenantScope, request: SendRequest) -> Estimate | Declined:
        """Count and price a message; holds and stores nothing."""
        ...

    async def explain(self, scope: TenantScope, request: SendRequest) -> Explanation | Declined:
        """Say which sender a message would get, and why each other would not; stores nothing."""
        ...

    async def rates_of(self, tenant_id: UUID, *, live: bool) -> tuple[RateState, ...]:
        """Return where a tenant's live or test keys stand with the request rate; nothing if nobody knows."""
        ...

    async def cancel(self, scope: TenantScope, message_id: UUID) -> MessageView | Declined | None:
        """Stop a message that has not left; None if it is absent or someone else's."""
        ...


class Uploads(Protocol):
    """Takes files for MMS; `gateway.media.desk.MediaDesk` fits."""

    async def staged(self, scope: TenantScope, content: bytes) -> MediaFile | MediaRefused:
        """Judge a file and put it where AWS will read it; the caller stores the row."""
        ...


class DataKeySource(Protocol):
    """Unwraps tenants' data keys; `gateway.messages.keys.DataKeys` fits."""

    async def of(self, tenant_id: UUID) -> DataKey:
        """
        Return the key that opens what is sealed for the tenant.

        Raises:
            tenants.errors.NotFound: There is no such tenant.
        """
        ...

    def forget(self, tenant_id: UUID) -> None:
        """Ask Postgres again at the next use."""
        ...


class IngestAnswer(Protocol):
    """What became of one SNS post. `stored` and `confirmed` mean the Postgres commit is done."""

    @property
    def outcome(self) -> Literal["stored", "confirmed", "rejected"]:
        """A rejected post left nothing behind."""
        ...

    @property
    def reason(self) -> str:
        """Short stable word for the metric when rejected, such as `bad_signature`; else empty."""
        ...


class SnsIngest(Protocol):
    """Judges and stores what is posted to `/v1/ingest/sns`."""

    async def receive(self, body: bytes) -> IngestAnswer:
        """
        Verify the envelope and act on it.

        Raises:
            gateway.errors.Unavailable: Postgres could not commit; SNS is to try again.
        """
        ...


class FirehoseIngest(Protocol):
    """Judges and stores what Firehose delivers; `gateway.receipts.firehose.FirehoseReceiver` fits."""

    async def receive(self, posted: Posted) -> Taken:
        """Store every record, or say in Firehose's form why not."""
        ...


class DeadLetterDesk(Protocol):
    """The dead letters of receipt queues; `gateway.receipts.dead_letters.DeadLetters` fits."""

    async def listed(self, queue_id: UUID, *, limit: int) -> Sequence[DeadLetter]:
        """
        Return dead letters in no order.

        Raises:
            tenants.errors.NotFound: There is no such queue.
            gateway.errors.QueueFault: SQS refused or did not answer.
        """
        ...

    async def redrive(self, queue_id: UUID, *, only: Collection[str] | None) -> int:
        """
        Move dead letters back into their queue; returns how many.

        Raises:
            tenants.errors.NotFound: There is no such queue.
            gateway.errors.QueueFault: SQS refused or did not answer.
        """
        ...


class ParkedDesk(Protocol):
    """Events that no message claims; `gateway.receipts.parked.ParkedEvents` fits."""

    async def listed(
        self, *, reason: str | None, before: tuple[datetime, bytes] | None, limit: int
    ) -> Sequence[Parked]:
        """Return parked events, the newest first."""
        ...

    async def retry(self, reason: str) -> Retried:
        """
        Read and apply parked events of one reason again.

        Raises:
            gateway.errors.Unavailable: Postgres could not commit.
        """
        ...


class Readiness(Protocol):
    """Whether this process can do its work now."""

    async def failures(self) -> dict[str, str]:
        """Return what does not answer and why (`postgres`, `redis`, `migrations`); empty when ready."""
        ...


class PolicyProjection(Protocol):
    """Carries a tenant's changed policy to admission at once, instead of at the next notice."""

    async def __call__(self, tenant_id: UUID) -> None:
        """Project the tenant's policy; a failure is logged by the implementation, never raised."""
        ...


class OptOutProjection(Protocol):
    """Carries one opt-out to admission after its commit."""

    async def __call__(
        self, tenant_id: UUID, list_name: str, recipient_hash: bytes, *, opted_out: bool
    ) -> None:
        """Project one number's state; a failure is logged by the implementation, never raised."""
        ...


class OverrideProjection(Protocol):
    """Carries one number override to admission after its commit."""

    async def __call__(
        self, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes, mark: bytes | None
    ) -> None:
        """Project what a configuration says of a number; a failure is logged, never raised."""
        ...


class PumpingHolds(Protocol):
    """What is held for pumping now; `gateway.admission.holds.Holds` fits."""

    async def of(self, tenant_id: UUID, *, now_ms: int) -> Sequence[HeldPrefix]:
        """
        Return a tenant's holds, the next to end first.

        Raises:
            gateway.errors.Unavailable: Whoever knows them is away.
        """
        ...

    async def lift(self, tenant_id: UUID, workflow: str, prefix: str) -> bool:
        """
        End one; False if there is none.

        Raises:
            gateway.errors.Unavailable: It may still hold.
        """
        ...


class LaneSights(Protocol):
    """What waits, lane by lane; `gateway.lanes.survey.LaneSurvey` fits."""

    async def all(self) -> Sequence[LaneSight]:
        """
        Return the lanes in which something waits, the one that takes longest first.

        Raises:
            gateway.errors.Unavailable: Whoever knows them is away.
        """
        ...


class WebhookUrlCheck(Protocol):
    """Judges a URL before it is stored; the client checks again each time it connects."""

    async def __call__(self, url: str) -> str | None:
        """Return why the gateway would not call `url`, in one sentence, or None if it would."""
        ...


class RegistrationForms(Protocol):
    """What AWS says of registrations, asked now or a day ago; `gateway.registrations.desk` fits."""

    async def types(self) -> list[FormType]:
        """
        Return every registration type.

        Raises:
            gateway.errors.Unavailable: AWS does not answer and nothing is kept.
        """
        ...

    async def form(self, registration_type: str, *, withdrawn: bool = False) -> Form:
        """
        Return the form of a type; with `withdrawn` also one that AWS offers no more, as it was.

        Raises:
            tenants.errors.NotFound: AWS has no such type.
            gateway.errors.Unavailable: AWS does not answer and nothing is kept.
        """
        ...

    async def sender_id_drift(self, scope: TenantScope) -> list[SenderIdDrift]:
        """
        Return how AWS's sender ids differ from those that the tenant was given.

        Raises:
            gateway.errors.Unavailable: AWS does not answer.
        """
        ...

    async def held(self, row: Registration, current: RegistrationVersion) -> dict[str, Value]:
        """
        Return what AWS holds of a version, by field path.

        Raises:
            gateway.errors.Unavailable: AWS does not answer.
        """
        ...
