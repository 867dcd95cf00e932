"""Event destinations of configuration sets: which ones take an event, and handing it to them."""

import base64
from collections.abc import Callable

import msgspec

from gateway.emulator.sns.courier import Courier
from gateway.emulator.sns.publisher import AwsCall, Publisher, aws_parcel, stable_message_id
from gateway.emulator.state.records import ConfigurationSet, EventDestination
from gateway.emulator.state.store import Store
from gateway.emulator.stats import Stats

LOG_STREAM = "sms-voice"
"""The stream of the log group that events go to; made when it is missing."""

KINDS = ("SnsDestination", "KinesisFirehoseDestination", "CloudWatchLogsDestination")


def takers_of(configuration_set: ConfigurationSet, event_type: str) -> list[EventDestination]:
    """Return the enabled destinations that match an event type, each once however many types match."""
    channel_wide = event_type.partition("_")[0] + "_ALL"
    wanted = {event_type, channel_wide, "ALL"}
    return [
        each
        for each in configuration_set.destinations
        if each.enabled and not wanted.isdisjoint(each.event_types)
    ]


class Handover(msgspec.Struct, frozen=True):
    """One event on its way to one destination."""

    store: Store
    """Who owns the destination."""
    taker: EventDestination
    record: str
    """The event as JSON text."""
    identity: tuple[str, ...]
    """What makes the event unique; fixes its SNS MessageId."""
    timestamp_ms: int
    """The event's time, for log events."""
    done: Callable[[], None]
    """Called once it is delivered or given up."""


class EventDesk:
    """Hands event records to destinations of every kind."""

    def __init__(
        self, publisher: Publisher, courier: Courier, stats: Stats, *, firehose: str | None, logs: str | None
    ) -> None:
        self._publisher = publisher
        self._courier = courier
        self._stats = stats
        self._endpoints = {"KinesisFirehoseDestination": firehose, "CloudWatchLogsDestination": logs}

    def hand_over(self, event: Handover) -> None:
        """Deliver one event record to one destination."""
        taker = event.taker
        if taker.kind == "SnsDestination":
            message_id = stable_message_id(*event.identity, taker.arn)
            self._publisher.publish(event.store, taker.arn, event.record, message_id, event.done)
            return
        root = self._endpoints[taker.kind]
        self._stats.events_published += 1
        if root is None:
            self._landed(event, arrived=False)
            return
        if taker.kind == "CloudWatchLogsDestination":
            self._log(root, event)
        else:
            self._carry(root, _firehose_call(event), event)

    def _log(self, root: str, event: Handover) -> None:
        """Deliver to a log group; where that fails, once more after making the stream in it."""
        put = _logs_call(event)

        def tried(arrived: bool) -> None:
            if arrived:
                self._landed(event, arrived=True)
            else:
                self._courier.send(aws_parcel(root, _stream_call(event), made))

        def made(_: bool) -> None:
            # Not made may mean that another event's failure has made it just before.
            self._carry(root, put, event)

        self._courier.send(aws_parcel(root, put, tried))

    def _carry(self, root: str, call: AwsCall, event: Handover) -> None:
        self._courier.send(aws_parcel(root, call, lambda arrived: self._landed(event, arrived=arrived)))

    def _landed(self, event: Handover, *, arrived: bool) -> None:
        if arrived:
            self._stats.events_delivered += 1
        else:
            self._stats.events_failed += 1
        event.done()


def _firehose_call(event: Handover) -> AwsCall:
    stream = event.taker.arn.rpartition("/")[2]
    data = base64.b64encode(event.record.encode()).decode()
    return AwsCall(
        region=event.store.region,
        service="firehose",
        target="Firehose_20150804.PutRecord",
        json_version="1.1",
        members={"DeliveryStreamName": stream, "Record": {"Data": data}},
    )


def _logs_call(event: Handover) -> AwsCall:
    log_event = {"timestamp": event.timestamp_ms, "message": event.record}
    return _on_stream(event, "PutLogEvents", logEvents=[log_event])


def _stream_call(event: Handover) -> AwsCall:
    return _on_stream(event, "CreateLogStream")


def _on_stream(event: Handover, action: str, **members: object) -> AwsCall:
    group = event.taker.arn.removesuffix(":*").rpartition(":log-group:")[2]
    return AwsCall(
        region=event.store.region,
        service="logs",
        target=f"Logs_20140328.{action}",
        json_version="1.1",
        members={"logGroupName": group, "logStreamName": LOG_STREAM, **members},
    )
