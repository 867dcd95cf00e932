"""
Who is registered and whose name leads, from whom recipients believe they deal with. Pure.

Only the tenant's name and the tenant's opt-in: the tenant's data is registered, and the operator's name
never stands in a text. The operator's name, its opt-in, and consents it keeps to itself: the operator's data
is. Any mixture would be refused by carriers, so a person decides.
"""

from typing import Literal

from tenants.onboarding.answers import Relationship

Registrant = Literal["tenant", "operator"]


def registrant_of(answer: Relationship) -> Registrant | None:
    """Return whose data is registered; None where a person has to decide."""
    if answer.brand_seen == "tenant" and answer.opt_in_through == "tenant":
        return "tenant"
    if answer.brand_seen == "tenant" and answer.opt_in_shared:
        return "tenant"  # the operator's hosted form speaks for the tenant and hands the consents over
    if answer.brand_seen == "operator" and answer.opt_in_through == "operator" and not answer.opt_in_shared:
        return "operator"
    return None


def conflict_of(answer: Relationship) -> str:
    """Return what stands against an answer that `registrant_of` does not decide."""
    if answer.brand_seen == "neither":
        return "recipients know neither name alone; carriers register one brand per programme"
    if answer.brand_seen == "operator" and answer.opt_in_shared:
        return "consent given to the operator must not be handed to the tenant"
    if answer.brand_seen == "operator":
        return "texts under the operator's name need consent given to the operator"
    return "texts under the tenant's name need consent given to the tenant, or handed over to it"
