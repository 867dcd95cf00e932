"""What a platform posts about one of its customers, and what it is answered."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from gateway.api.registration_acts import GivenValues, Name, Reference
from gateway.api.v1.onboarding_views import GivenAnswers
from tenants.onboarding.steps import StepName


class IntakeRegistration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registration to be, as far as the platform knows its fields."""

    reference: Reference
    """Unique for the customer: posted again, the same draft is filled further."""
    type: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Z0-9_]+\Z")]
    """One of `GET /v1/admin/registration-forms`, such as `US_TOLL_FREE_REGISTRATION`."""
    name: Name
    values: GivenValues = field(default_factory=dict)


class IntakeCustomerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One customer of the platform."""

    reference: Reference
    """The platform's own name for it: posted again, the same tenant is meant."""
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    onboarding: GivenAnswers = field(default_factory=GivenAnswers)
    """Answers as in `PATCH /v1/onboarding`; what is absent stays."""
    registrations: Annotated[list[IntakeRegistration], Meta(max_length=10)] = field(default_factory=list)


class IntakeBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One post, in the form of Standard Webhooks."""

    type: Literal["customer.submitted"]
    timestamp: Annotated[str, Meta(max_length=40)] = ""
    """When it happened there; not used."""
    data: IntakeCustomerBody


class IntakeRegistrationView(Struct, frozen=True, kw_only=True):
    """One registration as it stands now."""

    reference: str
    id: str
    """`reg_…`"""
    status: str
    """`draft` where it was filled; any other is left as it is."""


class IntakeView(Struct, frozen=True, kw_only=True):
    """What became of a post."""

    tenant_id: str
    created: bool
    """Whether the customer is new."""
    next: StepName | None
    """The first step of its onboarding that is not done."""
    registrations: list[IntakeRegistrationView]
