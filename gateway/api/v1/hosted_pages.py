"""`/v1/hosted-pages`: what the tenant's public pages are written from, and where they are."""

from typing import Final

from litestar import get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, WITH_BODY, refusals
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.errors import NotFound
from tenants.pages import service
from tenants.pages.disclosures import disclosure, links_of
from tenants.pages.settings import PageSettings

_PAGES: Final = {NEEDS: "consents"}


class DisclosureView(Struct, frozen=True, kw_only=True):
    """All that a person is told of one use case before agreeing."""

    use_case: str
    text: str


class HostedPagesView(Struct, frozen=True, kw_only=True):
    """The pages of a tenant."""

    settings: PageSettings
    terms: str
    privacy: str
    opt_in: str
    preferences: str
    paper_form: str
    """To print; keep the signed paper and write the consent down with `method` `paper`."""
    verbal_script: str
    embed: str
    """HTML for a site of `allowed_origins`; without JavaScript it shows the form in a plain frame."""
    disclosures: list[DisclosureView]


@get(
    "/hosted-pages",
    opt=_PAGES,
    responses=refusals(*TENANT, "not_found"),
    summary="Read the hosted pages",
    description="Where they are and what they are written from; 404 before the first PUT.",
)
async def get_hosted_pages(request: ApiRequest, desk: NamedDependency[Desk]) -> HostedPagesView:
    """Return the settings and the addresses."""
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        settings = await service.read(request.auth, session)
    if settings is None:
        raise NotFound("hosted page")
    return _view(settings, tenant, desk.public_url)


@put(
    "/hosted-pages",
    opt=_PAGES,
    responses=refusals(*TENANT, *WITH_BODY),
    summary="Set what the hosted pages say",
    description=(
        "Terms, privacy policy, opt-in page and widget, preference page, paper form and verbal script are "
        "written from these answers, each with every disclosure that carriers ask for. They are public from "
        "now on. Consents given before keep the words that they were given to."
    ),
)
async def put_hosted_pages(
    request: ApiRequest, data: JSONBody[PageSettings], desk: NamedDependency[Desk]
) -> HostedPagesView:
    """Replace the settings."""
    async with desk.tenant(request.auth) as session:
        tenant = await accounts.get(request.auth, session)
        await service.write(request.auth, session, data)
    return _view(data, tenant, desk.public_url)


def _view(settings: PageSettings, tenant: Tenant, public_url: str) -> HostedPagesView:
    links = links_of(public_url, tenant.slug)
    home = links.opt_in.removesuffix("/opt-in")
    return HostedPagesView(
        settings=settings,
        terms=links.terms,
        privacy=links.privacy,
        opt_in=links.opt_in,
        preferences=links.preferences,
        paper_form=f"{home}/paper",
        verbal_script=f"{home}/script",
        embed=(
            f'<script src="{home}/widget.js"></script>'
            f'<noscript><iframe src="{links.opt_in}?embed=1" title="SMS" width="100%" height="640">'
            "</iframe></noscript>"
        ),
        disclosures=[
            DisclosureView(use_case=each.use_case, text=disclosure(settings, each, links, settings.language))
            for each in settings.programmes
        ],
    )
