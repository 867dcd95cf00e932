"""What the web process asks of AWS about registrations: forms, and what it holds of one."""

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control import OpenControl
from gateway.carrier.registrations import AwsRefusal, AwsRegistrations
from gateway.clock import Clock
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from gateway.registrations.forms import Forms
from gateway.registrations.sender_id_drift import drift_of
from tenants.registrations.bulk_sender_ids import SenderIdDrift
from tenants.registrations.checking import Value
from tenants.registrations.forms import Form, FormType
from tenants.registrations.models import Registration, RegistrationVersion
from tenants.scope import TenantScope
from tenants.senders import store as senders


class RegistrationDesk:
    """One per web process."""

    def __init__(self, engine: AsyncEngine, open_control: OpenControl, clock: Clock) -> None:
        self._engine = engine
        self._open = open_control
        self._forms = Forms(engine, open_control, clock)

    async def types(self) -> list[FormType]:
        """
        Return every registration type.

        Raises:
            Unavailable: AWS does not answer and nothing is kept.
        """
        return await self._forms.types()

    async def form(self, registration_type: str, *, withdrawn: bool = False) -> Form:
        """
        Return the form of a type; with `withdrawn` also one that AWS offers no more, as it was.

        Raises:
            NotFound: AWS has no such type.
            Unavailable: AWS does not answer and nothing is kept.
        """
        return await self._forms.form(registration_type, withdrawn=withdrawn)

    async def sender_id_drift(self, scope: TenantScope) -> list[SenderIdDrift]:
        """
        Return how AWS's sender ids differ from those that the tenant was given, asked now.

        Raises:
            Unavailable: AWS does not answer.
        """
        return await drift_of(scope, self._engine, self._open)

    async def held(self, row: Registration, current: RegistrationVersion) -> dict[str, Value]:
        """
        Return what AWS holds of a version, asked now; an attachment by AWS's own id.

        Raises:
            Unavailable: AWS does not answer.
        """
        if row.aws_id is None or current.aws_version is None:
            return {}
        async with worker_transaction(self._engine) as session:
            known = {each.id: each for each in await senders.accounts(session)}
        account = None if row.account_id is None else known.get(row.account_id)
        if account is None:
            raise Unavailable("the AWS account of the registration is not known any more")
        try:
            async with self._open(account) as control:
                found = await AwsRegistrations(control).held(row.aws_id, version=current.aws_version)
        except AwsRefusal as refusal:
            raise Unavailable(refusal.detail) from refusal
        shown: dict[str, Value] = {}
        for path, each in found.items():
            if each.choices is not None:
                shown[path] = list(each.choices)
            elif (said := each.text or each.attachment_id) is not None:
                shown[path] = said
        return shown
