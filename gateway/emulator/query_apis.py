"""The APIs beside the service that speak the query protocol: SNS, and the little of STS that clients need."""

from gateway.emulator.errors import AwsError
from gateway.emulator.pipeline import Answer
from gateway.emulator.signatures import check_signature
from gateway.emulator.sns.api import SnsApi
from gateway.emulator.sns.query_wire import Fields, QueryError, error_xml
from gateway.emulator.wire import Request, caller_of
from gateway.emulator.world import World

XML = "text/xml"


def query_answer(world: World, request: Request, fields: dict[str, str]) -> Answer:
    """Answer one query call."""
    action = fields["Action"]
    world.stats.actions[action] += 1
    region = _region(world, request, fields)
    api = SnsApi(
        world.stores.of(world.options.account_id, region), world.publisher, world.clock, world.journal
    )
    try:
        if world.options.credentials and request.method == "POST":
            check_signature(request, world.options.credentials, world.clock.now_s())
        return Answer(200, api.answer(action, Fields(fields)), XML)
    except AwsError as refused:
        error = QueryError(refused.code, refused.message, refused.status)
        return Answer(error.status, error_xml(error), XML)
    except QueryError as error:
        world.stats.errors[error.code] += 1
        return Answer(error.status, error_xml(error), XML)


def _region(world: World, request: Request, fields: dict[str, str]) -> str:
    """Return the Region of the topic that a link names, else of the caller's credentials."""
    sections = (fields.get("TopicArn") or fields.get("SubscriptionArn") or "").split(":")
    named = sections[3] if len(sections) > 3 and sections[2] == "sns" else ""  # noqa: PLR2004 - arn:aws:sns:region
    return named or caller_of(request, world.options.default_region).region
