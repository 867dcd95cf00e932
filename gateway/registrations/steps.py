"""
One step of a registration at AWS. What it made is returned and stored by the caller before the next one.

A step whose call was begun before (`again`) looks for what the earlier call may have made, so that a process
that died between AWS's answer and the commit costs neither a second registration nor a second number.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from gateway.carrier.control_calls import client_token
from gateway.carrier.registrations import AwsRefusal, AwsRegistrations
from gateway.faultpoints import FaultPoint, fp
from gateway.registrations.number_terms import number_terms
from tenants.ids import encode
from tenants.registrations.forms import Form
from tenants.registrations.models import Registration, RegistrationAttachment, RegistrationVersion
from tenants.registrations.saga import NextStep, Step
from tenants.scope import TenantScope

_ACTIVE: Final = "ACTIVE"
_UPLOADED: Final = "UPLOAD_COMPLETE"
_UPLOADING: Final = "UPLOAD_IN_PROGRESS"
_UPLOAD_TAKES: Final = timedelta(seconds=2)
_ACTIVATION_TAKES: Final = timedelta(minutes=1)
_DRAFTS: Final = frozenset({"DRAFT", "DISCARDED"})


class Loaded(Struct, frozen=True, kw_only=True):
    """A registration as it was read for a step."""

    scope: TenantScope
    row: Registration
    current: RegistrationVersion
    form: Form
    account_id: UUID
    attachments: Mapping[str, RegistrationAttachment]
    """By `att_…`."""
    content: bytes = b""
    """Of the attachment that the step is about, opened."""
    parent_aws_id: str | None
    again: bool = False
    """Whether this very step was begun before and its answer never stored."""

    @property
    def aws_id(self) -> str:
        """AWS's id, which every step but the first has."""
        return self.row.aws_id or ""

    @property
    def reference(self) -> str:
        """Our id, under which AWS keeps what is made."""
        return encode("reg", self.row.id)

    def token(self, kind: str, *parts: str) -> str:
        """Return the ClientToken of a step."""
        return client_token(self.scope.tenant_id, f"registration-{kind}", str(self.account_id), *parts)


class Done(Struct, frozen=True, kw_only=True):
    """What a step changed."""

    row: dict[str, Any] = {}
    version: dict[str, Any] = {}
    uploaded: tuple[UUID, str] | None = None
    """An attachment and its AWS id."""
    wait: timedelta | None = None
    """Nothing is wrong, but AWS is not ready yet; ask again after this long."""


class Steps:
    """The steps of one account's registrations."""

    def __init__(self, aws: AwsRegistrations) -> None:
        self._aws = aws

    async def do(self, loaded: Loaded, step: NextStep) -> Done:
        """
        Do one step.

        Raises:
            AwsRefusal: AWS said no, or did not answer.
        """
        calls: dict[Step, Callable[[Loaded, str], Awaitable[Done]]] = {
            "create": self._create,
            "version": self._version,
            "attachment": self._attachment,
            "field": self._field,
            "unfill": self._field,
            "number": self._number,
            "associate": self._associate,
            "submit": self._submit,
            "activate": self._activate,
        }
        return await calls[step.step](loaded, step.subject)

    async def _create(self, loaded: Loaded, _: str) -> Done:
        kind, reference = loaded.row.type, loaded.reference
        made = await self._aws.find_created(kind, reference=reference) if loaded.again else None
        if made is None:
            token = loaded.token("create", reference)
            made = await self._aws.create(kind, reference=reference, token=token)
        await fp(FaultPoint.REGISTRATION_CREATED)
        return Done(
            row={"aws_id": made[0], "aws_arn": made[1], "aws_status": "CREATED"}, version={"aws_version": 1}
        )

    async def _version(self, loaded: Loaded, _: str) -> Done:
        """Drafts have no token: the one that is open above the last submitted version is ours."""
        seen = await self._aws.versions(loaded.aws_id)
        decided = [each.number for each in seen if each.status not in _DRAFTS]
        number = await self._aws.draft_version(loaded.aws_id, above=max(decided, default=0))
        await fp(FaultPoint.REGISTRATION_VERSION_MADE)
        return Done(version={"aws_version": number})

    async def _attachment(self, loaded: Loaded, subject: str) -> Done:
        row = loaded.attachments[subject]
        aws_id = row.aws_ids.get(f"{loaded.account_id}:pending")
        if aws_id is None:
            aws_id = await self._aws.upload(loaded.content, token=loaded.token("attachment", subject))
        await fp(FaultPoint.REGISTRATION_UPLOADED)
        status = await self._aws.upload_status(aws_id)
        if status == _UPLOADING:
            return Done(wait=_UPLOAD_TAKES)
        if status != _UPLOADED:
            raise AwsRefusal("form", status, f"AWS could not take the attachment {subject}; upload it again")
        return Done(uploaded=(row.id, aws_id))

    async def _field(self, loaded: Loaded, path: str) -> Done:
        field, value = loaded.form.field(path), loaded.current.filled.get(path)
        put = dict(loaded.current.put)
        if value is None or field is None:
            await self._aws.empty(loaded.aws_id, path)
            put.pop(path, None)
        else:
            attached = loaded.attachments.get(value) if isinstance(value, str) else None
            attachment_id = None if attached is None else attached.aws_ids.get(str(loaded.account_id))
            await self._aws.put(loaded.aws_id, field, value, attachment_id=attachment_id)
            put[path] = value
        await fp(FaultPoint.REGISTRATION_FIELD_PUT)
        return Done(version={"put": put})

    async def _number(self, loaded: Loaded, _: str) -> Done:
        """A campaign's number is requested by itself and tied in the next step; others name theirs."""
        terms = number_terms(loaded.form, loaded.row, loaded.current.filled)
        later, made = loaded.form.type.number_after_complete, None
        if loaded.again and later:
            made = await self._aws.find_tagged_number(terms.number_type, reference=loaded.reference)
        elif loaded.again:
            made = await self._aws.find_number(loaded.aws_id)
        if made is None:
            made = await self._aws.request_number(
                terms,
                aws_id=None if later else loaded.aws_id,
                reference=loaded.reference,
                token=loaded.token("number", loaded.reference),
            )
        await fp(FaultPoint.REGISTRATION_NUMBER_REQUESTED)
        return Done(
            row={
                "number_id": made.number_id,
                "number_arn": made.arn,
                "number": made.number,
                "number_price": made.price,
            }
        )

    async def _associate(self, loaded: Loaded, subject: str) -> Done:
        if not subject:
            raise AwsRefusal(
                "form", "parent_not_registered", "bring the registration that this one builds on to AWS first"
            )
        if subject not in {each.resource_id for each in await self._aws.tied(loaded.aws_id)}:
            await self._aws.tie(loaded.aws_id, subject)
        await fp(FaultPoint.REGISTRATION_TIED)
        return Done(row={"associated": [*loaded.row.associated, subject]})

    async def _submit(self, loaded: Loaded, _: str) -> Done:
        """A version is handed in once: AWS's own state of it is looked at first."""
        newest = (await self._aws.versions(loaded.aws_id))[0]
        if newest.status == "DRAFT":
            await self._aws.submit(loaded.aws_id)
        await fp(FaultPoint.REGISTRATION_SUBMITTED)
        return Done()

    async def _activate(self, _: Loaded, subject: str) -> Done:
        """Carriers take a tied number up in their own time."""
        seen = await self._aws.number(subject)
        return Done(wait=None if seen.status == _ACTIVE else _ACTIVATION_TAKES)
