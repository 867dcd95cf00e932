"""What became of a post, as a sender of webhooks hands it to be written down."""

from datetime import UTC, datetime

from gateway.webhooks.due import DueDelivery
from gateway.webhooks.payload import StoredEvent
from gateway.webhooks.results import Result
from gateway.webhooks.schedule import Delivered
from tenants.endpoints.models import WebhookEndpoint
from tenants.ids import created_at, new_uuid


def result_of(tenant_id):
    """A good answer to a post of a tenant's."""
    delivery_id = new_uuid()
    delivery = DueDelivery(
        tenant_id=tenant_id,
        id=delivery_id,
        created_at=created_at(delivery_id),
        endpoint=WebhookEndpoint(id=new_uuid(), tenant_id=tenant_id, failures=0, failing_since=None),
        event=StoredEvent(id=new_uuid(), type="message.delivered", sequence=1, data={}, message=None),
        attempts=0,
    )
    answer = Delivered(status=200, duration_ms=3, body_excerpt="")
    return Result(delivery=delivery, attempt=answer, reply_sealed=b"x", at=datetime.now(UTC), jitter=0.5)
