"""
What a phone turns into a link, and the hosts behind which nobody knows what stands.

A link is what Android's Linkify and iOS's data detectors underline, not only what has a scheme: `bit.ly/x` in
a name is as good a lure as `https://bit.ly/x`. Everything here takes time linear in the text: the labels of a
host hold no dot, and a search begins only where a word does.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

_TOP_LEVEL: Final = (
    "com net org info biz name pro edu gov mil int mobi app dev page web xyz top club online site website "
    "shop store link click live life world vip win work bid loan icu buzz rest fit cfd sbs bond cyou "
    "monster quest support help cloud email digital space fun host press tech news today agency company "
    "services bank money finance pay credit insure delivery express tel cards ly gl gd gg tk ml ga cf gq "
    "ru su cn cc ws tv io co uk fr de es pt nl dk se fi pl cz sk hu ro bg gr tr ua by kz br mx ar cl pe "
    "ve ca au nz jp kr tw hk sg th vn ph pk bd lk ng ke za gh eg ma ae sa ir il ie lt lv ee ch li lu eu "
    "asia \u0440\u0444 \u0440\u0443\u0441 \u0431\u0435\u043b \u0443\u043a\u0440 \u0441\u0440\u0431 "
    "\u4e2d\u56fd \u4e2d\u570b \u7f51\u5740 \u7f51\u7edc \u516c\u53f8"
)
"""
Names after which a bare host is a link. Two-letter ones that are also words (it, is, in, at, me, to, us…) are
left out: a full stop without a blank behind it would be a link. With a slash after it any name counts, and so
does an IPv4 address; a bare address stands in honest texts, such as those about a sign-in.
"""

_BEGINS: Final = r"(?<![\w-])(?<![\w-]\.)"
"""Where no host has begun before: behind dots alone, as in `…evil.com`, one begins all the same."""

LINK: Final = re.compile(
    r"://"
    r"|\bwww\."
    rf"|{_BEGINS}(?:[\w-]+\.)+"
    rf"(?:(?:{'|'.join(_TOP_LEVEL.split())}|xn--[a-z0-9-]+)(?![\w-])|(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]+)/)"
    rf"|{_BEGINS}(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?::[0-9]+)?/",
    re.IGNORECASE,
)
"""Where a link shows: its scheme, its `www.` or its host. Run it over `unfold`ed text."""

SHORTENERS: Final = frozenset(
    {
        "bit.ly", "bitly.com", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "v.gd", "buff.ly",
        "rebrand.ly", "cutt.ly", "shorturl.at", "rb.gy", "t.ly", "tiny.cc", "s.id", "bl.ink", "shorte.st",
        "adf.ly", "bit.do", "mcaf.ee", "su.pr", "qr.ae", "soo.gd", "s2r.co", "clck.ru", "u.to", "x.co",
        "lnkd.in", "tr.im", "cli.re", "short.io", "tiny.one", "tinu.be", "hyperurl.co", "urlz.fr",
        "shrtco.de", "gg.gg", "db.tt", "dlvr.it", "fb.me", "surl.li", "n9.cl", "kutt.it", "chilp.it",
        "vo.la", "trib.al", "snip.ly", "po.st", "linktr.ee", "l.ead.me", "da.gd"
    }
)  # fmt: skip
"""
Free shorteners that anyone may use; carriers filter them (spec: rejection reasons of registrations). A short
domain of the brand's own is fine.
"""

_HOST: Final = re.compile(rf"{_BEGINS}(?:[\w-]+\.)+[a-z][a-z-]*[a-z](?![\w-])", re.IGNORECASE)
_DOTS: Final = "\u2024\u3002\ufe52\uff0e\uff61"
_COLONS: Final = "\u02d0\u2236\ua789\ufe55\uff1a"
_SLASHES: Final = "\u2044\u2215\u29f8\u3033\uff0f"
_UNFOLDED: Final[dict[int, int | str]] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, _DOTS), "."),
    **dict.fromkeys(map(ord, _COLONS), ":"),
    **dict.fromkeys(map(ord, _SLASHES), "/"),
}


class Host(Struct, frozen=True):
    """A host named in a text."""

    name: str
    """Lower case."""
    start: int
    end: int


def unfold(text: str) -> str:
    """Return the text, as long as before, with wide forms and look-alikes of `.`, `:` and `/` as ASCII."""
    return text if text.isascii() else text.translate(_UNFOLDED)


def has_link(text: str) -> bool:
    """Whether a phone would make a link of some of this."""
    return next(links(text), None) is not None


def links(text: str) -> Iterator[re.Match[str]]:
    """Yield where links show; positions are those of the text."""
    plain = unfold(text)
    # Most texts have no dot before a letter and no scheme; finding that out costs a tenth of the search.
    return LINK.finditer(plain) if "." in plain or "://" in plain else iter(())


def hosts(text: str) -> Iterator[Host]:
    """Yield what reads as a host name, with or without a scheme."""
    for found in _HOST.finditer(unfold(text)):
        yield Host(found[0].lower(), found.start(), found.end())


def is_shortener(host: str) -> bool:
    """Whether a host, or one it belongs to, is a shortener that anyone may use."""
    return is_host_of(host, SHORTENERS)


def is_host_of(host: str, domains: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether a host is one of some domains or below one."""
    labels = host.lower().split(".")
    return any(".".join(labels[start:]) in domains for start in range(len(labels)))


def host_of(url: str) -> str:
    """Return the host of a URL that a `url` variable accepts: `https://`, no user, maybe a port."""
    return re.split(r"[/?#:]", url.removeprefix("https://"), maxsplit=1)[0].lower()
