"""An EHR calls the real service over HTTP, which reads a real HAPI FHIR server; the patients are other people's."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from demo.ehr import Ehr, Reply
from demo.service_process import service
from fhir_mappings.retrieval import queries
from tests.integration.hapi_server import Hapi
from tests.integration.load_corpus import SYNTHEA, Load

pytestmark = pytest.mark.corpus

ONKOLOGIE = "mii-exa-test-data-onko-patient-1"
IMAGING = "mii-exa-test-data-bildgebung-patient-1"


@pytest.fixture(scope="module")
def ehr(hapi: Hapi) -> Iterator[Ehr]:
    """An EHR whose charts are assessed as of their newest Observation: test data are years old."""
    with service(hapi.base_url, clock="latest") as url, Ehr(url, hapi.base_url) as client:
        yield client


def said(reply: Reply) -> dict[str, Any]:
    """What must not depend on the way the data came: score, explanation, values."""
    assessment = reply.assessment
    kept = ("status", "abstained", "riskScore", "attribution", "position", "coverage", "entity", "setting")
    return {name: assessment.get(name) for name in kept}


def patient_of(load: Load, name: str) -> str:
    """The id that the server gave to the patient of one Synthea bundle: they were loaded in this order."""
    return dict(zip(SYNTHEA, load.patients(), strict=True))[name]


class TestSynthea:
    def test_the_card_is_the_same_with_prefetch_without_and_with_half_of_it(self, ehr: Ehr, synthea: Load) -> None:
        """A chart gives the same score and explanation whichever way its data reach the service."""
        patient = patient_of(synthea, "cancer-02")
        complete = ehr.prefetch(patient)
        half = {key: value for number, (key, value) in enumerate(complete.items()) if number % 2}

        replies = [ehr.open_chart(patient, given) for given in (complete, half, None)]

        assert [reply.status for reply in replies] == [200, 200, 200]
        assert said(replies[0]) == said(replies[1]) == said(replies[2])
        assert replies[0].assessment["status"] == "scored"

    def test_the_ledger_says_how_each_query_was_answered(self, ehr: Ehr, synthea: Load) -> None:
        """Keys that were sent come from prefetch, the others from searches."""
        patient = patient_of(synthea, "cancer-02")
        sent = ehr.prefetch(patient, ["patient", "conditions", "laboratory"])

        ledger = {line["key"]: line["via"] for line in ehr.open_chart(patient, sent).assessment["retrieval"]}

        assert {key for key, via in ledger.items() if via == "prefetch"} == set(sent)
        assert set(ledger) == {query.key for query in queries()} == set(ehr.templates())

    def test_more_results_than_a_page_are_all_read(self, ehr: Ehr, synthea: Load) -> None:
        """A patient with several hundred Observations is read to the last page."""
        patient = patient_of(synthea, "cancer-10")

        ledger = {line["key"]: line for line in ehr.open_chart(patient).assessment["retrieval"]}

        assert ledger["laboratory"]["count"] > 200
        assert ledger["laboratory"]["state"] == "complete"

    @pytest.mark.parametrize("name", ["no-cancer-02", "cancer-01"])
    def test_a_chart_without_a_confirmed_solid_tumour_is_not_scored(self, ehr: Ehr, synthea: Load, name: str) -> None:
        """No cancer, or a neoplasm in situ only: an information card says that there is no score, and why."""
        reply = ehr.open_chart(patient_of(synthea, name))

        assert reply.assessment["abstained"]["code"] == "no-solid-tumour"
        assert reply.card is not None
        assert reply.card["indicator"] == "info"
        assert reply.card["summary"].startswith("Not scored:")

    def test_a_resolved_tumour_is_not_scored(self, ehr: Ehr, synthea: Load) -> None:
        """A colon cancer whose Condition is resolved gives no score."""
        assert ehr.open_chart(patient_of(synthea, "cancer-05")).assessment["abstained"]["code"] == "tumour-inactive"

    def test_every_factor_names_resources_that_the_server_holds(self, ehr: Ehr, hapi: Hapi, synthea: Load) -> None:
        """Following a factor's sources leads to the resources behind it."""
        factors = ehr.open_chart(patient_of(synthea, "cancer-07")).assessment["attribution"]
        sources = {source for factor in factors for source in factor.get("sources", ())}

        found = [httpx.get(f"{hapi.base_url}/{source}", trust_env=False).status_code for source in sources]

        assert sources
        assert set(found) == {200}


class TestGermanCoreDataSet:
    def test_an_oncology_bundle_is_scored(self, ehr: Ehr, mii: Load) -> None:
        """The ovarian carcinoma of the oncology module is scored from TNM, histology and grade."""
        assert mii.stored
        reply = ehr.open_chart(ONKOLOGIE)

        factors = {factor["feature"] for factor in reply.assessment["attribution"]}

        assert reply.assessment["entity"]["key"] == "entity_ovary"
        assert {"stage_uicc_stage", "stage_grade", "demo_age_at_baseline"} <= factors

    def test_a_tumour_and_its_size_alone_are_too_little(self, ehr: Ehr, mii: Load) -> None:
        """The imaging module's patient has an entity but too few inputs: recognised, not scored."""
        assert mii.stored
        reply = ehr.open_chart(IMAGING)

        assert reply.assessment["entity"]["key"] == "entity_nsclc"
        assert reply.assessment["abstained"]["code"] == "too-little"


class TestRefusals:
    def test_an_unknown_patient_is_told_as_such(self, ehr: Ehr) -> None:
        """A patient that the FHIR server does not know is a 404 with an OperationOutcome, not an empty card list."""
        reply = ehr.open_chart("nobody-here")

        assert reply.status == 404
        assert reply.body["resourceType"] == "OperationOutcome"
        assert reply.body["issue"][0]["details"]["coding"][0]["code"] == "unknown-patient"

    def test_another_patients_result_in_prefetch_stops_everything(self, ehr: Ehr, synthea: Load) -> None:
        """One resource of another patient, however it is referenced, ends in a warning and no score."""
        patient, other = patient_of(synthea, "cancer-02"), patient_of(synthea, "cancer-06")
        sent = ehr.prefetch(patient)
        sent["laboratory"]["entry"] += ehr.prefetch(other, ["laboratory"])["laboratory"]["entry"][:1]

        reply = ehr.open_chart(patient, sent)

        assert reply.card is not None
        assert reply.card["indicator"] == "warning"
        assert reply.assessment["abstained"]["code"] == "foreign-patient"
        assert "riskScore" not in reply.assessment

    def test_a_fhir_server_that_is_not_listed_is_not_called(self, ehr: Ehr, synthea: Load) -> None:
        """A complete prefetch of an unlisted server is scored; where something would have to be read, 403."""
        patient = patient_of(synthea, "cancer-02")
        complete = ehr.prefetch(patient)
        partial = {key: value for key, value in complete.items() if key != "laboratory"}
        elsewhere = {"fhirServer": "https://fhir.elsewhere.example/r4"}

        assert ehr.open_chart(patient, complete, **elsewhere).status == 200
        assert ehr.open_chart(patient, partial, **elsewhere).status == 403


class TestOrderAndBrokenEntries:
    def test_order_does_not_matter_and_one_bad_entry_does_no_harm(self, ehr: Ehr, synthea: Load) -> None:
        """With the prefetch reversed and one entry broken, every other finding stays as it was."""
        patient = patient_of(synthea, "cancer-02")
        sent = ehr.prefetch(patient)
        before = ehr.open_chart(patient, sent).assessment
        for value in sent.values():
            if "entry" in value:
                value["entry"].reverse()
        broken = sent["function"]["entry"][0]["resource"]
        broken["status"] = ["final"]

        after = ehr.open_chart(patient, sent).assessment

        lost = {f"Observation/{broken['id']}"}
        untouched = [factor for factor in before["attribution"] if not lost & set(factor.get("sources", ()))]
        kept = {factor["feature"]: factor for factor in after["attribution"]}
        untouched = [factor for factor in untouched if factor["feature"] != "other"]
        assert untouched
        assert all(kept[factor["feature"]]["value"] == factor["value"] for factor in untouched)
        assert any(issue["code"] == "unreadable" for issue in after["issues"])
