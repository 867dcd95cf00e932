"""
The three services that show a puzzle and vouch for whoever solved it. Pure data.

They speak one protocol: the page loads a script that puts a token into the form; `siteverify` is sent the
token with the operator's secret and answers `{"success": …, "error-codes": […]}`.

Sources: developers.cloudflare.com/turnstile, docs.hcaptcha.com, developers.google.com/recaptcha/docs/verify
and each one's page on Content-Security-Policy.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from msgspec import Struct

ProviderName = Literal["turnstile", "hcaptcha", "recaptcha"]


class Provider(Struct, frozen=True, kw_only=True):
    """One service."""

    verify_url: str
    script: str
    """What the page loads; it looks for `css_class`."""
    css_class: str
    token_field: str
    """The form's field that holds the token."""
    sources: tuple[str, ...]
    """What the page's policy has to let in: scripts, frames, styles and connections."""


PROVIDERS: Final[Mapping[ProviderName, Provider]] = MappingProxyType(
    {
        "turnstile": Provider(
            verify_url="https://challenges.cloudflare.com/turnstile/v0/siteverify",
            script="https://challenges.cloudflare.com/turnstile/v0/api.js",
            css_class="cf-turnstile",
            token_field="cf-turnstile-response",  # noqa: S106 - the name of a field
            sources=("https://challenges.cloudflare.com",),
        ),
        "hcaptcha": Provider(
            verify_url="https://api.hcaptcha.com/siteverify",
            script="https://js.hcaptcha.com/1/api.js",
            css_class="h-captcha",
            token_field="h-captcha-response",  # noqa: S106 - the name of a field
            sources=("https://hcaptcha.com", "https://*.hcaptcha.com"),
        ),
        "recaptcha": Provider(
            verify_url="https://www.google.com/recaptcha/api/siteverify",
            script="https://www.google.com/recaptcha/api.js",
            css_class="g-recaptcha",
            token_field="g-recaptcha-response",  # noqa: S106 - the name of a field
            sources=(
                "https://www.google.com/recaptcha/",
                "https://www.gstatic.com/recaptcha/",
                "https://recaptcha.google.com/recaptcha/",
            ),
        ),
    }
)


class Widget(Struct, frozen=True, kw_only=True):
    """What a page shows of the operator's provider."""

    provider: Provider
    site_key: str
    """Public; the provider ties it to the operator's host names."""
