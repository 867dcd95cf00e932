"""
The six ways in which a provider and its customer share the work, as data.

AWS's post on messaging for software vendors names them: who registers, who sends what, who pays AWS, and
whose name the recipient reads.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

Party = Literal["tenant", "operator"]
FreeText = Literal["open", "never"]


class OperatingModel(Struct, frozen=True, kw_only=True):
    """One of the six."""

    number: int
    name: str
    registration_by: Party
    """Who fills in and may change registrations; the operator may always, on the tenant's behalf."""
    free_text: FreeText
    """`open`: the plan decides; `never`: only templates are sent, whatever the plan says."""
    pays_aws: Party
    brand: Party
    """Whose name leads in texts, unless the answer to the relationship question says otherwise."""
    opt_in_by: Party
    """Who collects consent."""
    note: str


MODELS: Final[Mapping[int, OperatingModel]] = MappingProxyType(
    {
        each.number: each
        for each in (
            OperatingModel(
                number=1,
                name="own AWS account",
                registration_by="tenant",
                free_text="open",
                pays_aws="tenant",
                brand="tenant",
                opt_in_by="tenant",
                note="The tenant's role is assumed; its account is billed and keeps its opt-outs.",
            ),
            OperatingModel(
                number=2,
                name="by hand",
                registration_by="operator",
                free_text="open",
                pays_aws="operator",
                brand="tenant",
                opt_in_by="tenant",
                note="The operator enters what the tenant hands over.",
            ),
            OperatingModel(
                number=3,
                name="semi-automated, tenant sends",
                registration_by="tenant",
                free_text="open",
                pays_aws="operator",
                brand="tenant",
                opt_in_by="tenant",
                note="The tenant answers for compliance, the gateway registers and configures.",
            ),
            OperatingModel(
                number=4,
                name="fully automated, operator sends",
                registration_by="tenant",
                free_text="open",
                pays_aws="operator",
                brand="tenant",
                opt_in_by="operator",
                note="Hosted terms, privacy policy and opt-in pages; the gateway does the rest.",
            ),
            OperatingModel(
                number=5,
                name="automated, templates only",
                registration_by="tenant",
                free_text="never",
                pays_aws="operator",
                brand="tenant",
                opt_in_by="operator",
                note="The tenant fills the variables of approved templates.",
            ),
            OperatingModel(
                number=6,
                name="managed programme",
                registration_by="operator",
                free_text="never",
                pays_aws="operator",
                brand="operator",
                opt_in_by="operator",
                note="The operator owns the relationship; the tenant supplies personal data of each text.",
            ),
        )
    }
)
