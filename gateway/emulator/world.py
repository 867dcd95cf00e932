"""Everything one emulator is made of, put together in one place."""

from collections import Counter

from gateway.emulator.arrivals import Arrivals
from gateway.emulator.carrier.profiles import Profiles
from gateway.emulator.carrier.pumping import PumpingModel
from gateway.emulator.clock import VirtualClock
from gateway.emulator.destinations import EventDesk
from gateway.emulator.faults import FaultPlan
from gateway.emulator.limits import RateLimits
from gateway.emulator.objects import Objects
from gateway.emulator.options import EmulatorOptions
from gateway.emulator.reviews import Reviews
from gateway.emulator.sns.courier import Courier, CourierRules
from gateway.emulator.sns.envelopes import EnvelopeWriter
from gateway.emulator.sns.publisher import Publisher
from gateway.emulator.sns.signing import Signer, new_signing_key
from gateway.emulator.state.journal import Journal
from gateway.emulator.state.settings_records import CarrierSettings, ClockOffset, FaultSettings
from gateway.emulator.state.sns_records import SigningKey, Subscription
from gateway.emulator.state.store import Stores
from gateway.emulator.stats import Stats
from gateway.emulator.timeline import Timeline
from gateway.emulator.traffic import Traffic, TrafficRules
from gateway.emulator.truth_log import TruthLog


class World:
    """One emulator: its accounts, its carriers, its clock. Built inside a running event loop."""

    def __init__(self, options: EmulatorOptions, base_url: str) -> None:
        self.options = options
        self.base_url = base_url
        self.clock = VirtualClock()
        self.stats = Stats()
        self.timeline = Timeline(self.clock)
        self.profiles = Profiles()
        self.faults = FaultPlan(options.seed)
        self.limits = RateLimits(self.clock)
        self.arrivals = Arrivals()
        self.pumping = PumpingModel()
        self.lookups: Counter[tuple[str, int]] = Counter()
        """CarrierLookup calls by account and Region, and day since the epoch."""
        self.journal = Journal(options.state)
        self.objects = Objects(options.state)
        self.truth_log = TruthLog(options.truth_log)
        self.stores = Stores(self.journal, self.clock.now_s())
        self.stores.restore()
        self.signer = Signer(self._signing_key())
        self._wire_events()
        self.reviews = Reviews(
            self.clock, self.timeline, options.review_ms, automatic=options.automatic_reviews
        )
        self._restore_settings()

    def start(self) -> None:
        """Take up what a previous run left: messages under way, reviews, unconfirmed subscriptions."""
        self.traffic.restore(self.stores)
        self.stores.compact()
        self.reviews.restore(self.stores)
        for store in self.stores.all():
            for subscription in store.all(Subscription):
                if not subscription.confirmed:
                    self.publisher.confirm(store, subscription)

    async def close(self) -> None:
        """Stop what is under way and let go of the files."""
        self.timeline.clear()
        await self.courier.close()
        self.journal.close()
        self.truth_log.close()

    def reset(self) -> None:
        """Forget everything but the signing key."""
        self.timeline.clear()
        self.traffic.clear()
        self.objects.clear()
        self.stores.clear()
        self.profiles.reset()
        self.faults.reset()
        self.limits.reset()
        self.arrivals.reset()
        self.pumping.reset()
        self.lookups.clear()
        self.clock.offset_ms = 0.0
        self.stats.reset()

    def _signing_key(self) -> SigningKey:
        kept = self.stores.emulator()
        key = kept.find(SigningKey, "signing-key")
        if key is None:
            key = new_signing_key(self.options.signing_key_bits)
            kept.put(key)
            self.journal.flush()
        return key

    def _wire_events(self) -> None:
        options = self.options
        rules = CourierRules(
            options.sns_retries, options.sns_retry_delay_s, options.sns_timeout_s, options.sns_connections
        )
        self.courier = Courier(rules, self.timeline, self.stats)
        writer = EnvelopeWriter(self.signer, self.base_url)
        self.publisher = Publisher(writer, self.courier, self.clock, self.stats, options.sqs_endpoint)
        self.desk = EventDesk(
            self.publisher,
            self.courier,
            self.stats,
            firehose=options.firehose_endpoint,
            logs=options.logs_endpoint,
        )
        kept = TrafficRules(options.seed, options.retained_messages, options.behaviour.event_price_unit)
        self.traffic = Traffic(self.timeline, self.desk, self.journal, self.stats, kept)

    def _restore_settings(self) -> None:
        kept = self.stores.emulator()
        for settings in kept.all(CarrierSettings):
            self.profiles.replace(settings.country, settings.carrier)
        for faults in kept.all(FaultSettings):
            self.faults.replace(faults.faults)
        for offset in kept.all(ClockOffset):
            self.clock.offset_ms = offset.offset_ms
