"""
What a plan says about SMS pumping (artificially inflated traffic): where it is watched, and what then.

Pure data. Monitoring is the default, as AWS advises for its own Protect: a tenant looks at what would have
been held before anything is. Marketing is not watched, because its recipients are the tenant's own choice
and nobody can make it send more.
"""

import re
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Mode = Literal["off", "monitor", "enforce"]
DEFAULT_MODES: Final[dict[str, Mode]] = {"otp": "monitor", "transactional": "monitor", "promotional": "off"}
SafeEntry = Annotated[
    str,
    Meta(
        pattern=r"^([A-Z]{2}|\+[1-9]\d{0,14})\Z",
        description="a country, or + and the digits that numbers begin with",
        examples=["US", "+4479"],
    ),
]
WorkflowName = Annotated[str, Meta(min_length=1, max_length=100)]
_UNSAFE: Final = re.compile(r"[^a-z0-9-]")


class Pumping(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a tenant's traffic is watched for pumping."""

    mode: Mode | None = None
    """
    For every workflow that is not named: `enforce` refuses with `pumping_suspected`, `monitor` only tells.
    Absent means `monitor` for otp and transactional messages and `off` for promotional ones.
    """
    workflows: Annotated[dict[WorkflowName, Mode], Meta(max_length=50)] = {}
    """By the name of a template, which is then counted by itself, or by message type."""
    safe_list: Annotated[list[SafeEntry], Meta(max_length=200)] = []
    """Countries and prefixes that are never watched."""
    resends_per_10_minutes: Annotated[int, Meta(ge=0, le=1000)] = 10
    """One-time passwords for one recipient in ten minutes, per workflow; 0 for any number."""

    def workflow_of(self, message_type: str, template: str | None) -> tuple[str, Mode]:
        """Return the name under which a message is counted, and its mode; the template comes first."""
        if template is not None and template in self.workflows:
            return "tpl-" + _UNSAFE.sub("-", template.lower()), self.workflows[template]
        named = self.workflows.get(message_type)
        return message_type, named or self.mode or DEFAULT_MODES[message_type]
