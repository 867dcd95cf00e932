"""What webhooks and the feed of events say of a template that was decided on."""

from msgspec import Struct

from tenants.ids import encode
from tenants.templates.models import TemplateVersion
from tenants.templates.versions import TemplateView as VersionedTemplate


class DecisionEvent(Struct, frozen=True, kw_only=True):
    """What the tenant's endpoints are told of a decision."""

    template_id: str
    name: str
    version: int
    rejection_reason: str | None


def decision_event(found: VersionedTemplate, row: TemplateVersion) -> DecisionEvent:
    """Return what is told of a version that was decided on."""
    return DecisionEvent(
        template_id=encode("tpl", found.template.id),
        name=found.template.name,
        version=row.version,
        rejection_reason=row.rejection_reason,
    )
