"""`/v1/senders/{id}/two-way`: who answers STOP and HELP on a number, and with what."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from gateway.api.auth import NEEDS
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import TENANT, refusals
from gateway.api.path_ids import path_id
from tenants.ids import encode
from tenants.keywords import service as keywords
from tenants.keywords.texts import chosen, filled
from tenants.keywords.words import BUILT_IN, NETWORK_STOP_TEXT, BuiltIn
from tenants.senders import two_way
from tenants.senders.models import Sender
from tenants.senders.two_way import CARRIER, TwoWay

_KIND: Final = "sender"


class ReplyTextView(Struct, frozen=True, kw_only=True):
    """What a built-in keyword answers on a number."""

    keyword: str
    text: str | None
    """Null where AWS answers with a text of its own."""
    read_only: bool
    answered_by: str
    """`gateway`, `aws` or `carrier`."""


class TwoWayView(Struct, frozen=True, kw_only=True):
    """How a number is set."""

    sender: str
    enabled: bool
    opt_outs: str
    """`managed` by AWS, `self_managed` by the gateway, or by the `carrier` (every toll-free number)."""
    stop_scope: str
    confirmed_by: str | None
    replies: list[ReplyTextView]


@get(
    "/senders/{sender_id:str}/two-way",
    opt={NEEDS: "senders:read"},
    responses=refusals(*TENANT, "not_found"),
    summary="Read who answers STOP and HELP on a number",
    description="On a toll-free number the carriers' network answers STOP; that text cannot be changed.",
)
async def get_two_way(
    request: ApiRequest, sender_id: FromPath[str], desk: NamedDependency[Desk]
) -> TwoWayView:
    """Return how a number of the tenant's is set."""
    wanted = path_id("idn", sender_id, _KIND)
    async with desk.tenant(request.auth) as session:
        sender, setting = await two_way.settings_of(request.auth, session, wanted)
        vocabulary = await keywords.vocabulary(request.auth, session)
    return two_way_view(sender, setting, vocabulary)


def two_way_view(sender: Sender, setting: TwoWay, vocabulary: keywords.Vocabulary) -> TwoWayView:
    """Return a number's settings with the texts that hold there."""
    return TwoWayView(
        sender=encode("idn", sender.id),
        enabled=setting.enabled,
        opt_outs=setting.opt_outs,
        stop_scope=setting.stop_scope,
        confirmed_by=setting.confirmed_by,
        replies=[_reply(word, setting, vocabulary) for word in BUILT_IN],
    )


def _reply(word: BuiltIn, setting: TwoWay, vocabulary: keywords.Vocabulary) -> ReplyTextView:
    if setting.opt_outs == CARRIER and word == "STOP":
        return ReplyTextView(keyword=word, text=NETWORK_STOP_TEXT, read_only=True, answered_by="carrier")
    if setting.opt_outs == "managed" and word != "JOIN":
        return ReplyTextView(keyword=word, text=None, read_only=True, answered_by="aws")
    text = filled(chosen(word, None, vocabulary.texts), vocabulary.brand)
    return ReplyTextView(keyword=word, text=text, read_only=False, answered_by="gateway")
