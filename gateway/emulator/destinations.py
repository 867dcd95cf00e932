"""Event destinations of configuration sets: which ones take an event, and handing it to them."""

import base64
from collections.abc import Callable

from gateway.emulator.sns.courier import Courier, Parcel
from gateway.emulator.sns.publisher import Publisher, aws_parcel, stable_message_id
from gateway.emulator.state.records import ConfigurationSet, EventDestination
from gateway.emulator.state.store import Store
from gateway.emulator.stats import Stats

KINDS = ("SnsDestination", "KinesisFirehoseDestination", "CloudWatchLogsDestination")


def takers_of(configuration_set: ConfigurationSet, event_type: str) -> list[EventDestination]:
    """Return the enabled destinations that match an event type; each gets one copy however many types match."""
    channel_wide = event_type.partition("_")[0] + "_ALL"
    wanted = {event_type, channel_wide, "ALL"}
    return [
        each
        for each in configuration_set.destinations
        if each.enabled and not wanted.isdisjoint(each.event_types)
    ]


class EventDesk:
    """Hands event records to destinations of every kind."""

    def __init__(
        self,
        publisher: Publisher,
        courier: Courier,
        stats: Stats,
        firehose_endpoint: str | None,
        logs_endpoint: str | None,
    ) -> None:
        self._publisher = publisher
        self._courier = courier
        self._stats = stats
        self._endpoints = {
            "KinesisFirehoseDestination": firehose_endpoint,
            "CloudWatchLogsDestination": logs_endpoint,
        }

    def hand_over(
        self,
        store: Store,
        taker: EventDestination,
        record: str,
        identity: tuple[str, ...],
        timestamp_ms: int,
        done: Callable[[], None],
    ) -> None:
        """
        Deliver one event record to one destination.

        Args:
            store: Who owns the destination.
            taker: Where to.
            record: The event as JSON text.
            identity: What makes the event unique; fixes its SNS MessageId.
            timestamp_ms: The event's time, for log events.
            done: Called once it is delivered or given up.
        """
        if taker.kind == "SnsDestination":
            message_id = stable_message_id(*identity, taker.arn)
            self._publisher.publish(store, taker.arn, record, message_id, done)
            return
        root = self._endpoints[taker.kind]
        self._stats.events_published += 1
        if root is None:
            self._stats.events_failed += 1
            done()
            return
        self._courier.send(self._aws_call(store, taker, record, timestamp_ms, root, done))

    def _aws_call(
        self,
        store: Store,
        taker: EventDestination,
        record: str,
        timestamp_ms: int,
        root: str,
        done: Callable[[], None],
    ) -> Parcel:
        def landed(arrived: bool) -> None:
            if arrived:
                self._stats.events_delivered += 1
            else:
                self._stats.events_failed += 1
            done()

        if taker.kind == "KinesisFirehoseDestination":
            return _firehose_call(root, store.region, taker, record, landed)
        return _logs_call(root, store.region, taker, record, timestamp_ms, landed)


def _firehose_call(
    root: str, region: str, taker: EventDestination, record: str, landed: Callable[[bool], None]
) -> Parcel:
    stream = taker.arn.rpartition("/")[2]
    call: dict[str, object] = {
        "DeliveryStreamName": stream,
        "Record": {"Data": base64.b64encode(record.encode()).decode()},
    }
    return aws_parcel(root, region, "firehose", "Firehose_20150804.PutRecord", "1.1", call, landed)


def _logs_call(
    root: str,
    region: str,
    taker: EventDestination,
    record: str,
    timestamp_ms: int,
    landed: Callable[[bool], None],
) -> Parcel:
    group = taker.arn.removesuffix(":*").rpartition(":log-group:")[2]
    call: dict[str, object] = {
        "logGroupName": group,
        "logStreamName": "sms-voice",
        "logEvents": [{"timestamp": timestamp_ms, "message": record}],
    }
    return aws_parcel(root, region, "logs", "Logs_20140328.PutLogEvents", "1.1", call, landed)
