"""Everything the routes are handed; built once by `gateway.wiring`, by hand in tests."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.api.ports import (
    DataKeySource,
    DeadLetterDesk,
    FirehoseIngest,
    LaneSights,
    OptOutProjection,
    OverrideProjection,
    ParkedDesk,
    PolicyProjection,
    PumpingHolds,
    Readiness,
    RegistrationForms,
    Sends,
    SnsIngest,
    Uploads,
    WebhookUrlCheck,
)
from gateway.captcha.verifying import Captcha
from gateway.carrier.check_ports import AccountCheck
from gateway.carrier.provision.plan_ports import ProvisionDesk
from gateway.carrier.provision.ports import Provisioner, TwoWaySwitch
from gateway.carrier.verify_ports import NumberVerifier
from gateway.clock import Clock
from gateway.settings import Settings
from tenants.senders.models import AwsAccount
from tenants.senders.service import MessageType, SenderFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What the web process needs. No route reaches for anything else."""

    settings: Settings
    clock: Clock
    tenant_engine: AsyncEngine
    """Connections of role `app`: one tenant at a time, under row-level security."""
    operator_engine: AsyncEngine
    """Connections of role `worker`: the operator's routes and the look-up of API keys."""
    data_keys: DataKeySource
    sending: Sends
    media: Uploads
    provisioner: Provisioner
    provision_desk: ProvisionDesk
    number_verifier: NumberVerifier
    two_way: TwoWaySwitch
    registrations: RegistrationForms
    account_check: Callable[[AwsAccount], Awaitable[AccountCheck]]
    """Tries an AWS account's credentials and permissions; sends nothing."""
    carried_types: Callable[[AwsAccount, SenderFacts], Awaitable[Sequence[MessageType] | None]]
    """Asks AWS which messages a sender may carry; None where it does not say."""
    ingest: SnsIngest
    firehose: FirehoseIngest
    dead_letters: DeadLetterDesk
    parked_events: ParkedDesk
    readiness: Readiness
    policy_changed: PolicyProjection
    opt_out_changed: OptOutProjection
    override_changed: OverrideProjection
    webhook_url_check: WebhookUrlCheck
    pumping_holds: PumpingHolds
    lanes: LaneSights
    feed_until: Callable[[], Awaitable[datetime | None]]
    """Up to which instant the feeds of events and of opt-outs are complete."""
    captcha: Captcha | None = None
    """What the hosted forms ask whether a person fills them in; None for nothing."""
