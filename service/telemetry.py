"""Spans, meters and log lines; nothing of a patient in any of them.

A span's name is a stage's name, an attribute's value is from a closed set, an exception is recorded by its type: its
message could hold what it choked on. Every app has meters of its own, so that two in one process do not add up.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from time import perf_counter
from typing import Literal

from opentelemetry import trace
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from prometheus_client import CollectorRegistry, generate_latest

from fhir_mappings.record import Retrieval
from service.fhir.breaker import Breaker
from service.gaps import owed

Outcome = Literal["scored", "abstained", "silent", "error"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_NAME = "oncohooks"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

_current: ContextVar["Telemetry | None"] = ContextVar("telemetry", default=None)


class Telemetry:
    """One app's spans and meters.

    Spans go to `spans` where given, else to the tracer provider of the process: without one (the usual case) none are
    made, under `opentelemetry-instrument` they go wherever that was told.
    """

    def __init__(self, spans: SpanProcessor | None = None) -> None:
        resource = Resource.create({"service.name": _NAME})
        self._registry = CollectorRegistry()
        reader = PrometheusMetricReader(disable_target_info=True, scope_info_enabled=False, registry=self._registry)
        buckets = View(instrument_name="*.duration", aggregation=ExplicitBucketHistogramAggregation(_SECONDS))
        self._meters = MeterProvider(
            [reader], resource, AlwaysOffExemplarFilter(), shutdown_on_exit=False, views=[buckets]
        )
        self._spans = TracerProvider(resource=resource, shutdown_on_exit=False) if spans else None
        if self._spans and spans:
            self._spans.add_span_processor(spans)
        provider = self._spans or trace.get_tracer_provider()
        self._tracer = None if isinstance(provider, trace.ProxyTracerProvider) else provider.get_tracer(_NAME)
        meter = self._meters.get_meter(_NAME)
        self._requests = meter.create_histogram("http.server.request.duration", "s", "Time to answer a request")
        self._outcomes = meter.create_counter("oncohooks.outcomes", "{call}", "What became of the hook calls")
        self._prefetched: Counter[tuple[str, str, str]] = Counter()  # 15 a call: a meter's own adding takes 8 us each
        meter.create_observable_counter(
            "oncohooks.prefetch", [self._observe_prefetch], "{query}", "What clients sent for the queries"
        )
        self._gaps = meter.create_counter("oncohooks.gaps", "{query}", "What hook calls asked for and did not get")
        self._wrong_patient = meter.create_counter(
            "oncohooks.wrong_patient", "{call}", "Calls that delivered data of another patient"
        )
        self._not_admitted = meter.create_counter("oncohooks.not_admitted", "{call}", "Calls without a good token")
        self._replay_down = meter.create_counter(
            "oncohooks.replay_memory.down", "{call}", "Calls admitted while the shared memory of used tokens was down"
        )
        self._feedback = meter.create_counter("oncohooks.feedback", "{feedback}", "What became of cards")
        self._silenced = meter.create_counter(
            "oncohooks.silenced", "{call}", "Calls answered without a card, by policy"
        )
        self._shown_down = meter.create_counter(
            "oncohooks.shown_memory.down", "{call}", "Calls while the memory of shown cards was down"
        )
        self._not_kept = meter.create_counter(
            "oncohooks.not_kept", "{record}", "What could not be kept because the store was down"
        )
        self._shed = meter.create_counter("oncohooks.shed", "{call}", "Calls turned away under overload")
        self._fhir_requests = meter.create_histogram(
            "http.client.request.duration", "s", "Time of one request to a FHIR server, from sending to the last byte"
        )
        self._breakers: dict[str, Breaker] = {}
        meter.create_observable_gauge(
            "oncohooks.fhir.breaker", [self._observe_breakers], "1", "1 while a FHIR server is left alone"
        )
        self._cached = meter.create_counter("oncohooks.cache", "{query}", "What the cache of records knew of queries")
        self._results_cached = meter.create_counter(
            "oncohooks.results", "{call}", "What the cache of results knew of records"
        )
        self._stages = meter.create_histogram("oncohooks.stage.duration", "s", "Time in one stage")

    @contextmanager
    def request(self, method: str) -> Iterator["ServerRequest"]:
        """Measure one request from here on; stages entered within belong to it."""
        known = method if method in _METHODS else "_OTHER"  # as OpenTelemetry's HTTP conventions name the others
        token = _current.set(self)
        started = perf_counter()
        with self._span(known, trace.SpanKind.SERVER) as span:
            measured = ServerRequest(known)
            try:
                yield measured
            finally:
                _current.reset(token)
                span.update_name(f"{known} {measured.route}")
                span.set_attributes(measured.attributes)
                self._requests.record(perf_counter() - started, measured.attributes)

    def outcome(self, service: str, outcome: Outcome, code: str = "") -> None:
        """Count what became of a hook call; `code` is that of the abstention, silence or error, from closed lists."""
        self._outcomes.add(1, {"service": service, "outcome": outcome, "code": code})

    def prefetch(self, client: str, sent: Collection[str], ledger: Iterable[Retrieval]) -> None:
        """Count what the client did for each query; `client` is a label of the register, `sent` the keys it filled."""
        self._prefetched.update((client, line.key, _prefetched(line, is_sent=line.key in sent)) for line in ledger)

    def gaps(self, ledger: Iterable[Retrieval]) -> None:
        """Count the queries that failed, wholly or in part, or for which an answer of an earlier call stands in."""
        for key, state in owed(ledger):
            self._gaps.add(1, {"key": key, "state": state})

    def _observe_prefetch(self, _: CallbackOptions) -> Iterable[Observation]:
        for (client, key, state), count in self._prefetched.items():
            yield Observation(count, {"client": client, "key": key, "state": state})

    def fhir_server(self, label: str, breaker: Breaker) -> Callable[[str, int | str, float], None]:
        """Measures a FHIR server's requests by method, seconds, and HTTP status or the category of what failed.

        `label` is `fhir-1` for the first of the settings, and so on: an address would say where the hospital is.
        """
        self._breakers[label] = breaker

        def measured(method: str, outcome: int | str, seconds: float) -> None:
            what = "error.type" if isinstance(outcome, str) else "http.response.status_code"
            self._fhir_requests.record(seconds, {"server": label, "http.request.method": method, what: outcome})

        return measured

    def _observe_breakers(self, _: CallbackOptions) -> Iterable[Observation]:
        for label, breaker in self._breakers.items():
            yield Observation(int(breaker.is_open), {"server": label})

    def wrong_patient(self, client: str, service: str) -> None:
        """Count a call that delivered data of another patient: an alarm."""
        self._wrong_patient.add(1, {"client": client, "service": service})

    def not_admitted(self, reason: str) -> None:
        """Count a call that was refused for its token; `reason` is from a closed list."""
        self._not_admitted.add(1, {"reason": reason})

    def replay_memory_down(self) -> None:
        """Count a call that was admitted by this process's own memory of used tokens: an alarm."""
        self._replay_down.add(1)

    def feedback(self, outcome: str, reason: str) -> None:
        """Count feedback that was not known before; `reason` is one of our codes, `none` or `other`."""
        self._feedback.add(1, {"outcome": outcome, "reason": reason})

    def silenced(self, service: str, reason: str) -> None:
        """Count a call that was answered without a card; `reason` is from a closed list."""
        self._silenced.add(1, {"service": service, "reason": reason})

    def shown_memory_down(self) -> None:
        """Count a call that was answered without knowing what was shown before: an alarm."""
        self._shown_down.add(1)

    def not_kept(self, what: Literal["card", "feedback", "shown", "snooze"]) -> None:
        """Count what was lost: an alarm.

        A card that no report will know of, a call with feedback that was refused, a card that will be shown again, a
        snooze that will not hold.
        """
        self._not_kept.add(1, {"what": what})

    def shed(self, urgency: str) -> None:
        """Count a call that was turned away, by its class."""
        self._shed.add(1, {"class": urgency})

    def cached(self, result: str) -> None:
        """Count what the cache knew of a query: `hit`, `stale`, `miss`, `unreadable`.

        And calls to which it did not answer (`down`), or of which it could not keep what was read (`not-kept`).
        """
        self._cached.add(1, {"result": result})

    def result_cached(self, result: str) -> None:
        """Count what the cache of results knew of a record: `hit`, `miss`, `unreadable`, `down`, `not-kept`."""
        self._results_cached.add(1, {"result": result})

    def exposition(self) -> bytes:
        """The meters in the Prometheus text format."""
        return generate_latest(self._registry)

    def close(self) -> None:
        self._meters.shutdown()
        if self._spans:
            self._spans.shutdown()

    def _span(self, name: str, kind: trace.SpanKind) -> AbstractContextManager[trace.Span]:
        if self._tracer is None:
            return nullcontext(trace.INVALID_SPAN)
        return self._tracer.start_as_current_span(
            name, kind=kind, record_exception=False, set_status_on_exception=False
        )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage of a request of this app."""
        started = perf_counter()
        with self._span(name, trace.SpanKind.INTERNAL) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(trace.StatusCode.ERROR)
                span.set_attribute("error.type", type(error).__name__)
                raise
            finally:
                self._stages.record(perf_counter() - started, {"stage": name})


def _prefetched(line: Retrieval, *, is_sent: bool) -> str:
    """The ledger's state of what the client sent; of what it left out or failed to get, we may have read it or not."""
    if not is_sent:
        return "missing"
    return line.state if line.via == "prefetch" else "failed"


class ServerRequest:
    """What is known of a request once it is answered. `route` is the template of the path, never the path itself."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.route = "unmatched"
        self.status = 500

    @property
    def attributes(self) -> dict[str, str | int]:
        return {
            "http.request.method": self.method,
            "http.route": self.route,
            "http.response.status_code": self.status,
        }


def stage(name: str) -> AbstractContextManager[None]:
    """Measure a stage of the data's way (the words of DESIGN's table) for the app whose request this is.

    Outside of a request (command line, tests) nothing happens.
    """
    telemetry = _current.get()
    return telemetry.stage(name) if telemetry else nullcontext()
