"""
Does the country demand more than a text? India does.

A text to India from a sender id travels on a local route only with the entity and template ids of the
operators' DLT registry (TRAI); without them carriers drop it, after AWS has charged for it. So it is refused
here (F-INDIA).
"""

from typing import Final

from gateway.admission.rules.ports import Closed, Open, RuleVerdict, SendFacts

_INDIA = "IN"
_NOT_ASKED: Final = Open(note="the country asks for no parameters")


def country_has_its_parameters(facts: SendFacts) -> RuleVerdict:
    """Refuse a sender id's text to India that lacks one of its two DLT ids."""
    if facts.number.country != _INDIA or facts.sender_type != "SENDER_ID":
        return _NOT_ASKED
    given = {"entity_id": facts.entity_id, "template_id": facts.dlt_template_id}
    missing = [name for name, value in given.items() if not value]
    if not missing:
        return Open(note="India's entity and template ids are given")
    return Closed(
        code="country_parameters_required",
        field=f"/country_parameters/{missing[0]}",
        detail=f"India's registry demands {' and '.join(missing)}; give them in `country_parameters`, "
        "or let the operator set them on the template and the plan",
    )
