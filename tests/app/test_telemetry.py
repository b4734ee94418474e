from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from service.telemetry import stage
from tests.unit.service.conftest import MakeCaller
from tests.unit.service.far_end import BASE, PATIENT, Caller, FhirServer, full_prefetch, meters, outcome

Key = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traced(calling: MakeCaller, spans: InMemorySpanExporter) -> Caller:
    return calling(spans=SimpleSpanProcessor(spans))


def names(spans: Sequence[ReadableSpan]) -> list[str]:
    return [span.name for span in spans]


def test_every_stage_has_a_span(traced: Caller, spans: InMemorySpanExporter, server: FhirServer) -> None:
    """One request is one span, with one span a stage below it, named as the stage."""
    server.holds()
    traced.hook(fhirServer=BASE, prefetch={"laboratory": None})
    finished = spans.get_finished_spans()
    assert names(finished)[:3] == ["hook call", "prefetch", "search"]
    assert names(finished)[-2:] == ["card", "POST /cds-services/{id}"]
    root = finished[-1].context
    assert root
    assert {span.parent.span_id for span in finished[:-1] if span.parent} == {root.span_id}


def test_a_failing_stage_is_marked_by_type_only(
    traced: Caller, spans: InMemorySpanExporter, server: FhirServer
) -> None:
    """A span of a failed stage says which exception, without message, stack or event."""
    server.holds(patient=404)
    traced.hook(fhirServer=BASE)
    (search,) = [span for span in spans.get_finished_spans() if span.name == "search"]
    assert dict(search.attributes or {}) == {"error.type": "UnknownPatientError"}
    assert (search.events, search.status.description) == ((), None)


def test_outcomes_are_counted(caller: Caller, server: FhirServer) -> None:
    """Every hook call is counted as scored, abstained or error, with the code of which."""
    server.holds(conditions=503)
    caller.hook(prefetch=full_prefetch())
    caller.hook(prefetch=full_prefetch())
    caller.hook()
    caller.hook(fhirServer=BASE)
    caller.hook(hook="order-sign")
    service = "pan-cancer-prognosis"
    assert meters(caller, "oncohooks_outcomes_total") == {
        ("no-solid-tumour", "abstained", service): 2,
        ("data-unobtainable", "error", service): 1,
        ("fhir-refused", "error", service): 1,
        ("wrong-hook", "error", service): 1,
    }


def test_requests_and_stages_are_timed(caller: Caller) -> None:
    """Requests are counted by method, route template and status, stages by name."""
    caller.hook(prefetch=full_prefetch())
    caller.get("/nowhere/secret")
    caller.request("BREW", "/livez")
    requests = meters(caller, "http_server_request_duration_seconds_count")
    assert requests["POST", "200", "/cds-services/{id}"] == 1
    assert requests["GET", "404", "unmatched"] == 1
    assert requests["_OTHER", "405", "/livez"] == 1
    stages = meters(caller, "oncohooks_stage_duration_seconds_count")
    assert stages["hook call",] == stages["prefetch",] == stages["card",] == 1
    assert ("search",) not in stages


def test_apps_do_not_add_up(calling: MakeCaller) -> None:
    """Each app has meters of its own."""
    one, two = calling(), calling()
    one.hook(prefetch=full_prefetch())
    assert meters(one, "oncohooks_outcomes_total")
    assert not meters(two, "oncohooks_outcomes_total")


def test_nothing_of_a_patient_is_measured(traced: Caller, spans: InMemorySpanExporter, server: FhirServer) -> None:
    """Neither spans nor meters hold the patient's id, whatever became of the call."""
    server.holds(genetics=400, tumour=outcome())
    traced.hook(fhirServer=BASE)
    server.holds(patient=404)
    traced.hook(fhirServer=BASE)
    traced.hook(fhirServer=f"https://elsewhere.example/{PATIENT}")
    traced.get(f"/Patient/{PATIENT}")
    told = traced.get("/metrics").text + "".join(span.to_json() for span in spans.get_finished_spans())
    assert PATIENT not in told
    assert "elsewhere" not in told


def test_the_providers_of_the_process_get_our_spans_only(
    calling: MakeCaller, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a process-wide tracer the spans are the same: the framework adds none with addresses in it."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    caller = calling()
    caller.hook(prefetch=full_prefetch())
    caller.get(f"/Patient/{PATIENT}?name={PATIENT}")
    finished = spans.get_finished_spans()
    assert names(finished)[:2] == ["hook call", "prefetch"]
    assert names(finished)[-2:] == ["POST /cds-services/{id}", "GET unmatched"]
    assert PATIENT not in "".join(span.to_json() for span in finished)


def test_outside_of_a_request_a_stage_is_not_measured() -> None:
    """The command line uses the same stages without any telemetry."""
    with stage("predict"):
        pass
