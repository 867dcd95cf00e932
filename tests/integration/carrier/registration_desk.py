"""A tenant with its registrations and the scheduler that works on them, on the emulated AWS."""

import io
from datetime import timedelta

import aiohttp
from PIL import Image

from gateway.carrier.control import control_of
from gateway.carrier.provision.read import all_of
from gateway.carrier.session import open_session
from gateway.clock import SystemClock
from gateway.db.transaction import worker_transaction
from gateway.registrations.forms import Forms
from gateway.registrations.poll import RegistrationPoll
from gateway.registrations.runner import RegistrationRunner
from tenants.ids import encode
from tenants.registrations import service
from tenants.registrations.attached_files import CleanFile
from tenants.registrations.attachments import clean
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders import store as sender_store
from tenants.senders.service import AccountFacts
from tests.harness.tenants import key_of


class MovedClock(SystemClock):
    """The system's clock, set forward by what a test asks."""

    ahead = timedelta()

    def now(self):
        """Return the moved time."""
        return super().now() + self.ahead


class Desk:
    """What a test does as a tenant and as the scheduler."""

    def __init__(self, engine, emulator):
        self.engine, self.emulator, self.clock = engine, emulator, MovedClock()
        opener = control_of(open_session())
        self.forms = Forms(engine, opener, self.clock)
        self.runner = RegistrationRunner(engine, opener, self.forms, self.clock, self.key_of)
        self.poll = RegistrationPoll(engine, opener, self.forms, self.clock)

    async def open(self, scope, kind, values, **more):
        """Create a registration with a picture where the form wants one."""
        form = await self.forms.form(kind)
        async with worker_transaction(self.engine) as session:
            file, key = clean(picture()), await key_of(self.engine, scope)
            assert isinstance(file, CleanFile)
            attachment = await service.add_attachment(scope, session, key, file, name="opt-in.png")
            filled = dict(values)
            for field in form.fields:
                if field.kind == "ATTACHMENT" and field.requirement == "REQUIRED":
                    filled[field.path] = encode("att", attachment.id)
            new = service.NewRegistration(name="Codes", values=filled, **more)
            return (await service.create(scope, session, form, new)).row.id

    async def key_of(self, tenant_id):
        """The key of a tenant, as the processes find it."""
        return await key_of(self.engine, TenantScope(tenant_id=tenant_id))

    async def start(self, scope, registration_id, goal="submit", *, confirm=True):
        """Confirm the cost, start, and let the scheduler work."""
        now = self.clock.now()
        async with worker_transaction(self.engine) as session:
            view = await service.get(scope, session, registration_id)
            form = await self.forms.form(view.row.type)
            if confirm:
                await service.confirm_cost(scope, session, registration_id, now=now)
            await service.start(scope, session, form, registration_id, goal, now=now)
        await self.runner.work()
        return await self.read(scope, registration_id)

    async def read(self, scope, registration_id):
        """Return the registration as it is now."""
        async with worker_transaction(self.engine) as session:
            return await service.get(scope, session, registration_id)

    async def review(self, aws_id, decision, **more):
        """Decide as the reviewer."""
        body = {"registration_id": aws_id, "decision": decision, **more}
        url = f"{self.emulator.base_url}/_emulator/reviews"
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            assert answer.ok, await answer.text()

    async def calls(self):
        """How often each action was called so far."""
        url = f"{self.emulator.base_url}/_emulator/stats"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return (await answer.json())["actions"]


def picture():
    """A screenshot."""
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(buffer, "PNG")
    return buffer.getvalue()


async def opened_desk(engine, emulator):
    """The engine on the emulator, in the account that everyone uses."""
    facts = AccountFacts(region="us-east-1", endpoint_url=emulator.base_url, sends_per_second=500.0)
    async with worker_transaction(engine) as session:
        await senders.ensure_account(session, facts)
    return Desk(engine, emulator)


async def advance(desk, scope, registration_id):
    """Start or go on."""
    if (await desk.read(scope, registration_id)).row.status == "draft":
        return await desk.start(scope, registration_id)
    await desk.runner.work()
    return await desk.read(scope, registration_id)


async def counted_at_aws(desk):
    """What AWS holds, as its own owner sees it."""
    opener = control_of(open_session())
    async with worker_transaction(desk.engine) as session:
        (account,) = await sender_store.accounts(session)
    async with opener(account) as control:
        registrations = await all_of(control, "describe_registrations", "Registrations")
        numbers = await all_of(control, "describe_phone_numbers", "PhoneNumbers")
    return {"numbers": len(numbers), "registrations": len(registrations)}


async def forget_tokens(desk):
    """Let AWS forget every ClientToken, as it may at any time."""
    url = f"{desk.emulator.base_url}/_emulator/clock"
    async with aiohttp.ClientSession() as http, http.post(url, json={"advance_seconds": 90_000}) as answer:
        assert answer.ok, await answer.text()
