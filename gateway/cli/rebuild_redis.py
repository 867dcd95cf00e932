"""`tollgate rebuild-redis`: what Redis holds, made anew from Postgres."""

import os

import click
from rich.progress import track
from sqlalchemy import select

from gateway.admission.gate import AdmissionGate
from gateway.admission.mending import take_away_foreign
from gateway.cli.on_stores import run_on_stores
from gateway.db.transaction import worker_transaction
from gateway.intake.building import SANDBOX_ROUTE
from gateway.lanes.lanes import Lanes
from gateway.lanes.rebuild import rebuild
from gateway.settings import Settings, read_settings
from gateway.telemetry.logs import configure
from gateway.wiring.policies import create_policies, create_reader
from gateway.wiring.resources import Resources, open_resources
from tenants.accounts.models import Tenant
from tenants.ids import encode
from tenants.senders import store as senders


@click.command("rebuild-redis")
def command() -> None:
    """
    Rebuild the lanes of every route, and every tenant's policy and opt-outs, beside running processes.

    Dispatchers do this by themselves when Redis has forgotten; this is for when it remembers wrongly, or
    somebody else wrote under Tollgate's keys.
    """
    settings = read_settings(os.environ)
    configure("console", "warning")
    run_on_stores(_rebuild(settings))


async def _rebuild(settings: Settings) -> None:
    async with open_resources(settings) as shared:
        for route in await _routes(shared):
            queued = await rebuild(Lanes(shared.scripts), shared.pool, route)
            busy = "another process is rebuilding it; left to that one"
            click.echo(f"Route {route}: {busy if queued is None else f'{queued} messages queued'}.")
        if foreign := await take_away_foreign(shared.scripts):
            click.echo(f"{foreign} keys of tenants taken away, which somebody else had written.")
        click.echo(f"{await _project_policies(shared)} tenants' policies and opt-outs projected.")


async def _routes(shared: Resources) -> list[str]:
    async with worker_transaction(shared.worker_engine) as session:
        return [SANDBOX_ROUTE, *(encode("acc", account.id) for account in await senders.accounts(session))]


async def _project_policies(shared: Resources) -> int:
    async with worker_transaction(shared.worker_engine) as session:
        tenants = list(await session.scalars(select(Tenant.id).where(Tenant.state != "closed")))
    policies = create_policies(shared, create_reader(shared), AdmissionGate(shared.scripts))
    for tenant_id in track(tenants, description="Policies", transient=True):
        await policies.project(tenant_id, opt_outs=True)
    return len(tenants)
