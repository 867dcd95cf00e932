"""Hosted pages as tenants and the operator see them."""

from msgspec import Struct

from tenants.accounts.models import Tenant
from tenants.pages.disclosures import disclosure, links_of
from tenants.pages.settings import PageSettings


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


def hosted_pages_view(settings: PageSettings, tenant: Tenant, public_url: str) -> HostedPagesView:
    """Return the settings with the addresses of the pages."""
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
