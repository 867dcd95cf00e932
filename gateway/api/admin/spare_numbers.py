"""`/v1/admin/numbers`: lease, protect and release numbers apart from any tenant's plan."""

from typing import Annotated, Final, Literal

from litestar import delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from gateway.api.admin.own_trail import note_done
from gateway.api.admin.provision_plan import AccountQuery
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.idempotency import OPERATOR as OPERATOR_KEYS
from gateway.api.idempotency import claim_key, fingerprint_of, key_of
from gateway.api.path_ids import query_id
from gateway.api.refusals import Refusal
from gateway.carrier.provision.ports import Channel, ProvisionRefused
from gateway.carrier.provision.spare_ports import SpareNumber, SpareWish
from tenants.accounts.plan import CountryCode
from tenants.errors import NotFound
from tenants.registrations.costs import NUMBER_MONTHLY_USD

_ONE: Final = "/numbers/{number_id:str}"
_NUMBER: Final = "number"

AwsId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]


class SpareNumberBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number to lease."""

    reference: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}\Z")]
    """Yours; asked again under it, the same number is returned and none is leased."""
    country: CountryCode
    type: Literal["TEN_DLC", "LONG_CODE", "TOLL_FREE", "SIMULATOR"]
    message_type: Literal["TRANSACTIONAL", "PROMOTIONAL"] = "TRANSACTIONAL"
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=3)] = ("sms",)
    registration_id: AwsId | None = None
    """AWS's id of a registration that it is for."""
    protected: bool = True
    """Whether AWS refuses to release it until the protection is taken off."""
    accept_cost: bool = False
    """AWS bills it from the moment it is requested, whatever becomes of it."""


class ProtectionBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether AWS shall refuse to release it."""

    protected: bool


@post(
    "/numbers",
    status_code=200,
    responses=refusals(
        *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "provision_refused", "cost_not_confirmed", "not_found"
    ),
    summary="Lease a spare number",
    description=(
        "Without `accept_cost` nothing is leased and the answer names the cost as far as it is known. Give "
        "it to a tenant by naming it as `value` in `provision`."
    ),
)
async def request_spare_number(
    request: ApiRequest,
    data: JSONBody[SpareNumberBody],
    desk: NamedDependency[Desk],
    account: AccountQuery = None,
) -> SpareNumber:
    """Lease a number, or return the one leased under the reference."""
    if not data.accept_cost:
        price = NUMBER_MONTHLY_USD.get(data.type) if data.country == "US" else None
        known = "AWS names the price with the number" if price is None else f"{price} USD a month"
        raise Refusal("cost_not_confirmed", f"{known}, billed from the request on; repeat with accept_cost.")
    if (key := key_of(request)) is not None:
        async with desk.operator() as session:
            await claim_key(session, OPERATOR_KEYS, key, await fingerprint_of(request), status=200)
    wish = SpareWish(
        reference=data.reference,
        country=data.country,
        type=data.type,
        promotional=data.message_type == "PROMOTIONAL",
        channels=data.channels,
        protected=data.protected,
        registration_id=data.registration_id,
    )
    account_id = None if account is None else query_id("acc", account, "/account")
    found = _said(await desk.services.provision_desk.request_spare(account_id, wish))
    if found.created:
        said = {"reference": data.reference, "country": data.country, "type": data.type}
        await note_done(desk, "number.leased", found.number_id, **said)
    return found


@put(
    _ONE + "/protection",
    responses=refusals(*OPERATOR, *WITH_BODY, "provision_refused", "not_found"),
    summary="Protect a number from release",
)
async def protect_number(
    number_id: FromPath[str],
    data: JSONBody[ProtectionBody],
    desk: NamedDependency[Desk],
    account: AccountQuery = None,
) -> SpareNumber:
    """Switch AWS's deletion protection; `number_id` is the last part of its ARN."""
    account_id = None if account is None else query_id("acc", account, "/account")
    protected = data.protected
    found = _said(await desk.services.provision_desk.protect(account_id, _id(number_id), protected=protected))
    await note_done(desk, "number.protection", found.number_id, protected=protected)
    return found


@delete(
    _ONE,
    status_code=200,
    responses=refusals(*OPERATOR, "provision_refused", "not_found"),
    summary="Release a spare number",
    description=(
        "For good: AWS gives it to anyone. Refused while a tenant has it, while it is protected, and while "
        "it is in a pool."
    ),
)
async def release_number(
    number_id: FromPath[str], desk: NamedDependency[Desk], account: AccountQuery = None
) -> SpareNumber:
    """Give it back to AWS; `number_id` is the last part of its ARN."""
    account_id = None if account is None else query_id("acc", account, "/account")
    found = _said(await desk.services.provision_desk.release_spare(account_id, _id(number_id)))
    await note_done(desk, "number.released", found.number_id)
    return found


def _id(text: str) -> str:
    """AWS's ids are letters, digits and hyphens; anything else names nothing."""
    if len(text) > 64 or not text.isascii() or not text.replace("-", "").isalnum():  # noqa: PLR2004 - AWS's
        raise NotFound(_NUMBER)
    return text


def _said(found: SpareNumber | ProvisionRefused | None) -> SpareNumber:
    if found is None:
        raise NotFound(_NUMBER)
    if isinstance(found, ProvisionRefused):
        raise Refusal("provision_refused", found.detail)
    return found
