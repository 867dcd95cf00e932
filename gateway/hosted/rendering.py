"""
Pages as HTML: everything escaped, nothing loaded from elsewhere, no script needed.

The one exception is the operator's own choice: a form with a CAPTCHA loads the provider's script and frames.
"""

import base64
import json
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import MediaType, Response
from markupsafe import Markup, escape
from msgspec import Struct

from gateway.captcha.providers import Widget
from tenants.pages.disclosures import Links, disclosure, filled
from tenants.pages.phrases import PHRASES
from tenants.pages.settings import Language, PageSettings

Template = Literal[
    "terms", "privacy", "opt_in", "message", "confirm", "number", "code", "preferences", "paper", "script"
]
STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:40rem;margin:0 auto;"
    "padding:1rem;overflow-wrap:break-word}h1{font-size:1.5rem}h2{font-size:1.15rem}a{color:#0b57d0}label{overflow-wrap:anywhere}"
    "input[type=tel],#code{display:block;font:inherit;padding:.5rem;width:100%;box-sizing:border-box;"
    "border:1px solid #57606a;border-radius:4px}fieldset{border:1px solid #57606a;border-radius:4px}"
    "fieldset p{display:flex;gap:.6rem;align-items:flex-start}input[type=checkbox]{margin-top:.3rem;"
    "min-width:1.2rem;height:1.2rem}button{font:inherit;padding:.6rem 1.2rem;border:2px solid #0b57d0;"
    "background:#0b57d0;color:#fff;border-radius:4px}button.plain{background:#fff;color:#0b57d0}"
    ":focus-visible{outline:3px solid #b35900;outline-offset:2px}.bad{color:#a40e26}.good{color:#0a5c2b}"
    ".bad,.good{font-weight:600}.bad a{color:inherit}[aria-invalid]{border:2px solid #a40e26!important}"
    ".trap{position:absolute;left:-9999px}.line{border-bottom:1px solid #1b1f24;padding-bottom:2rem}"
    "footer{margin-top:2rem;font-size:.875rem;color:#424a53}"
)
_STYLE_HASH: Final = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
_POLICY: Final = (
    "default-src 'none'; style-src 'sha256-{style}'{sources}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors {frames}{loaded}"
)
_LOADED: Final = "; script-src {sources}; frame-src {sources}; connect-src {sources}"
_VERSION_LETTERS: Final = 12
_BEGIN, _END = "\u2068", "\u2069"
"""Unicode's own marks around words whose direction is theirs alone."""
_APART: Final = {_BEGIN: "<bdi>", _END: "</bdi>"}
_TEMPLATES: Final = Environment(
    loader=PackageLoader("gateway.hosted"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class Site(Struct, frozen=True, kw_only=True):
    """One tenant's pages in one language."""

    settings: PageSettings
    links: Links
    language: Language
    captcha: Widget | None = None
    """What its forms show to tell people from machines."""

    def say(self, phrase: str) -> str:
        """Return a fixed phrase with the tenant's name in it."""
        return filled(PHRASES[self.language][phrase], {"brand": self.settings.brand})

    def disclosures(self, marked: Callable[[str], str] = str) -> Mapping[str, str]:
        """Return what a person is told of each use case."""
        return {
            each.use_case: disclosure(self.settings, each, self.links, self.language, marked=marked)
            for each in self.settings.programmes
        }


def page(
    site: Site,
    template: Template,
    title: str,
    *,
    status: int = 200,
    notice: str | None = None,
    framed: bool = False,
    **values: Any,
) -> Response[str]:
    """Return a page; `title` and `notice` name phrases, a notice of a refused form is read out at once."""
    captcha = site.captcha if template in {"opt_in", "number"} else None
    failed = status >= 400  # noqa: PLR2004 - HTTP's own line between done and refused
    documents = {"terms", "privacy", "opt_in", "paper", "script"}
    about: dict[str, Any] = {
        "title": site.say(title),
        "heading": _set_apart(filled(PHRASES[site.language][title], {"brand": _marked(site.settings.brand)})),
        "notice": None if notice is None else site.say(notice),
        "failed": failed,
        "fault": notice if failed else None,
        "way_on": None,
        "settings": site.settings,
        "links": site.links,
        "language": site.language,
        "said": PHRASES[site.language],
        "disclosures": {name: _set_apart(words) for name, words in site.disclosures(_marked).items()},
        "style": Markup(STYLE),  # noqa: S704 - the constant above
        "put": _put,
        "in_language": partial(_in_language, site),
        "captcha": captcha,
        **values,
    }
    version = _version(template, about) if template in documents else None
    html = _TEMPLATES.get_template(f"{template}.html").render(about, version=version)
    return answer(html, site.settings, status=status, framed=framed, captcha=captcha)


def answer(
    html: str,
    settings: PageSettings | None,
    *,
    status: int = 200,
    framed: bool = False,
    captcha: Widget | None = None,
) -> Response[str]:
    """
    Return HTML under a policy that lets it load nothing; only a form may stand in the tenant's frames.

    Args:
        captcha: What the page shows of a provider, which is then let in.
    """
    origins = settings.allowed_origins if framed and settings is not None else []
    sources = "" if captcha is None else " ".join(captcha.provider.sources)
    policy = _POLICY.format(
        style=_STYLE_HASH,
        frames=" ".join(origins) or "'none'",
        sources=sources and f" {sources}",
        loaded=sources and _LOADED.format(sources=sources),
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return Response(html, status_code=status, headers=headers, media_type=MediaType.HTML)


def widget(site: Site) -> str:
    """Return the script that puts the form, in a frame, behind its own tag."""
    words = json.dumps(
        {"src": f"{site.links.opt_in}?embed=1&lang={site.language}", "title": site.say("opt_in_title")}
    )
    scripts = "" if site.captcha is None else " allow-scripts"
    safe = words.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return (
        f'(function(){{"use strict";var w={safe},s=document.currentScript,f=document.createElement("iframe");'
        'f.src=w.src;f.title=w.title;f.width="100%";f.height="640";f.setAttribute("frameborder","0");'
        f'f.setAttribute("sandbox","allow-forms allow-same-origin allow-popups{scripts}");'
        "s.parentNode.insertBefore(f,s.nextSibling)})();\n"
    )


def _version(template: Template, about: Mapping[str, Any]) -> str:
    """Return the hash of what the page says, without what a visitor did on it."""
    blank = {"notice": None, "failed": False, "fault": None, "typed": "", "ticked": (), "embedded": False}
    unseen = {"captcha": None, "style": ""}
    html = _TEMPLATES.get_template(f"{template}.html").render({**about, **blank, **unseen}, version=None)
    for tag in _APART.values():
        html = html.replace(tag, "")
    return sha256(html.encode()).hexdigest()[:_VERSION_LETTERS]


def _in_language(site: Site, html: Markup) -> Markup:
    """Return words whose links lead on in the language that is read; the words stay what is agreed to."""
    said = str(html)
    for link in (site.links.terms, site.links.privacy):
        said = said.replace(f'href="{link}"', f'href="{link}?lang={site.language}"')
    return Markup(said)  # noqa: S704 - it came as markup, and the links are ours


def _marked(words: str) -> str:
    return f"{_BEGIN}{words.replace(_BEGIN, '').replace(_END, '')}{_END}"


def _set_apart(text: str) -> Markup:
    """Return text as HTML; what is marked in it keeps its direction, and the sentence its order."""
    html = str(escape(text))
    for mark, tag in _APART.items():
        html = html.replace(mark, tag)
    return Markup(html)  # noqa: S704 - escaped above; the tags are ours


def _put(phrase: str, **values: str) -> str:
    return filled(phrase, values)
