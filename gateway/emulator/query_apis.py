"""The APIs beside the service that speak the query protocol: SNS, and the little of STS that clients need."""

from gateway.emulator import sts
from gateway.emulator.accounts import account_of
from gateway.emulator.errors import AwsError
from gateway.emulator.pipeline import Answer
from gateway.emulator.signatures import check_signature
from gateway.emulator.sns.api import ACTIONS, SnsApi
from gateway.emulator.sns.query_wire import Fields, QueryError, error_xml
from gateway.emulator.wire import Request, caller_of
from gateway.emulator.world import World

XML = "text/xml"


ARN_SECTIONS = 6


def query_answer(world: World, request: Request, fields: dict[str, str]) -> Answer:
    """Answer one query call."""
    known = fields["Action"] in ACTIONS or fields["Action"] in sts.ACTIONS
    world.stats.actions[fields["Action"] if known else "Unknown"] += 1
    try:
        if world.options.credentials and request.method == "POST":
            check_signature(request, world.options.credentials, world.clock.now_s())
        return Answer(200, _perform(world, request, Fields(fields)), XML)
    except AwsError as refused:
        return _refusal(world, QueryError(refused.code, refused.message, refused.status))
    except QueryError as error:
        return _refusal(world, error)


def _perform(world: World, request: Request, fields: Fields) -> bytes:
    action = fields.values["Action"]
    caller = caller_of(request, world.options.default_region)
    account, region = account_of(caller.access_key, world.options.account_id), caller.region
    if action in sts.ACTIONS:
        return sts.answer(action, fields, account, world.clock.now_s())
    if not caller.access_key:
        account, region = _owner(fields) or (account, region)
    store = world.stores.of(account, region)
    return SnsApi(store, world.publisher, world.clock, world.journal).answer(action, fields)


def _owner(fields: Fields) -> tuple[str, str] | None:
    """Return account and Region of the topic that a link in an envelope names; links are not signed."""
    sections = (fields.optional("TopicArn") or fields.optional("SubscriptionArn")).split(":")
    if len(sections) < ARN_SECTIONS or sections[2] != "sns":
        return None
    return sections[4], sections[3]


def _refusal(world: World, error: QueryError) -> Answer:
    world.stats.errors[error.code] += 1
    return Answer(error.status, error_xml(error), XML)
