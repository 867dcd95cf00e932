"""`/v1/insight/evidence`: the case that AWS support and carriers ask for."""

from typing import Annotated, Any, Literal

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.files import CSV, FILES, csv_of
from gateway.api.refusals import Refusal
from gateway.api.v1.insight import READ, Country
from gateway.insight import evidence, search
from gateway.insight.evidence import Evidence, Example, Subject
from gateway.insight.records import Numbers
from tenants.access.credential import allows

AsForm = Annotated[
    Literal["json", "csv"],
    QueryParameter(name="format", description="`json` is the whole case, `csv` its examples as a file."),
]
OfCarrier = Annotated[str | None, QueryParameter(max_length=128, description="As receipts name it.")]
Hours = Annotated[int, QueryParameter(ge=1, le=48, description="Back from now; carriers look at 48 at most.")]
AsNumbers = Annotated[
    Numbers, QueryParameter(description="`full` needs a key that may read messages; carriers ask for it.")
]


def evidence_answer(case: Evidence, form: str) -> Response[Any]:
    """Return the case in the form that was asked for."""
    if form == "json":
        return Response(case, media_type=MediaType.JSON)
    saved = {"Content-Disposition": 'attachment; filename="examples.csv"', "Cache-Control": "no-store"}
    return Response(csv_of(Example, case.examples), media_type="text/csv", headers=saved)


@get(
    "/insight/evidence",
    opt=READ | {FILES: (CSV,)},
    responses=refusals(*TENANT, "search_too_wide"),
    summary="Make a support case",
    description=(
        "Of the last 48 hours at most: how many of your live messages are in trouble, since when, with which "
        "carriers and statuses, against what is usual, and examples in proportion: ten of a few, dozens of "
        "thousands."
    ),
)
async def get_evidence(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    *,
    country: Country = None,
    carrier: OfCarrier = None,
    hours: Hours = 48,
    numbers: AsNumbers = "masked",
    form: AsForm = "json",
) -> Response[Evidence]:
    """Gather what a support case needs."""
    if numbers == "full" and not allows(request.user, "messages:read"):
        raise Refusal("missing_scope", "Full numbers need a key with the scope messages:read.")
    key = await desk.services.data_keys.of(request.auth.tenant_id)
    async with desk.tenant(request.auth) as session, search.bounded(session):
        case = await evidence.gather(
            request.auth,
            session,
            key,
            Subject(country=country, carrier=carrier, hours=hours),
            now=desk.services.clock.now(),
            numbers=numbers,
        )
    return evidence_answer(case, form)
