from fhir_mappings.retrieval import queries
from service.emergency.request import Asked
from service.emergency.whose import call_of
from service.fhir.client import FhirClient, FhirServers, open_http
from service.fhir.origin import Base
from tests.unit.service.far_end import BASE, PATIENT, FhirServer


def test_what_is_read_is_read_for_the_client_that_asks() -> None:
    """The reading carries the client's issuer, so that what is kept of it serves no other client."""
    servers = FhirServers([FhirClient(Base.parse(BASE), open_http(FhirServer()), 5.0, 10_000)])
    asked = Asked(patient_id=PATIENT, server=BASE)
    call = call_of(asked, servers, queries(), "https://ed.example")
    assert call.reading is not None
    assert call.reading.issuer == "https://ed.example"
    assert PATIENT not in repr(call) + repr(asked)
