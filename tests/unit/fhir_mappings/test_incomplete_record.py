"""With a partial, failed or late answer nothing is absent, and nothing counted, that the answer could have held."""

import msgspec
import pytest

from fhir_mappings.concepts import ATC, OWN, catalogue
from fhir_mappings.encoder import EncodedPatient, encode
from fhir_mappings.finding import Issue
from fhir_mappings.record import PatientRecord, Retrieval, State
from fhir_mappings.retrieval import queries
from tests.unit.fhir_mappings.resources_of import (
    AT,
    HGNC,
    UICC,
    ago,
    coded,
    component,
    concept,
    condition,
    documented,
    encounter,
    patient,
    record,
    reference,
    resource,
    tumour,
    variant,
)

KEYS = [query.key for query in queries()]
KRAS, BRAF, TP53 = "HGNC:6407", "HGNC:1097", "HGNC:11998"
GAPS: tuple[State, ...] = ("partial", "failed", "notAsked")
DRUGS = {"medicationAdministrations", "medicationStatements", "medicationRequests"}

# What may be 0, or counted, only where these queries are whole.
NEEDS: dict[str, set[str]] = {
    "comorb_chf": {"conditions", "encounters"},
    "comorb_pneumonia": {"conditions", "encounters"},
    "comorb_prior_malignancy": {"conditions", "encounters", "tumour"},  # pathology may show one
    "comorb_charlson_index": {"conditions", "encounters"},
    "comorb_count": {"conditions", "encounters"},
    "func_ed_visits_90d": {"encounters"},
    "func_inpatient_days_90d": {"encounters"},
    "stage_met_bone": {"tumour", "conditions"},
    "stage_met_brain": {"tumour", "conditions"},
    "stage_n_met_sites": {"tumour", "conditions"},
    "gene_tp53": {"genetics", "sequences"},  # in a region studied, not reported
    "gene_braf": {"genetics", "sequences"},  # a variant that does not count
    "gene_kras": {"genetics"},  # reported absent
    "tx_ici": {"lists", "procedures", *DRUGS},
    "tx_prior_surgery": {"lists", "procedures"},
    "tx_prior_radiotherapy": {"lists", "procedures"},
    "tx_red_cell_transfusion_30d": {"lists", "procedures", *DRUGS},  # blood is given as a drug too
    "med_opioid": {"lists", *DRUGS},
    "tx_prior_regimens": {"procedures", *DRUGS},
}


def whole() -> PatientRecord:
    """A patient of whom everything is recorded that proves an absence."""
    studied = coded("53041-0", "LA1", component=[component("48018-6", valueCodeableConcept=concept(TP53, HGNC))])
    given = resource(
        "MedicationAdministration",
        id="dose",
        status="completed",
        effectiveDateTime=ago(20),
        medicationCodeableConcept=concept("L01XA01", ATC),
    )
    lists = [
        resource(
            "List", status="current", mode="working", date=ago(2), code=code,
            entry=[{"item": reference("MedicationAdministration/dose")}],
        )
        for code in (concept("therapy-history", OWN), concept("10160-0"))
    ]  # fmt: skip
    return record(
        patient(), tumour(), *documented(), encounter("EMER", days=20), given, *lists, studied,
        coded("21901-4", "M0", UICC, days=10),
        variant(BRAF, "BRAF", "p.Lys601Glu"), variant(KRAS, "KRAS", present="LA9634-2"),
    )  # fmt: skip


def read(**states: State) -> EncodedPatient:
    """With every query complete but those named."""
    ledger = tuple(Retrieval(key, "search", states.get(key, "complete")) for key in KEYS)
    return encode(msgspec.structs.replace(whole(), retrieval=ledger), catalogue().schema, AT)


def test_a_whole_record_proves_what_is_absent() -> None:
    """Every parameter of this file has a value while every answer is whole."""
    found = read().findings
    assert [key for key in NEEDS if key not in found] == []
    assert {key for key in NEEDS if found[key].value} == {"func_ed_visits_90d", "tx_prior_regimens"}


@pytest.mark.parametrize("state", GAPS)
@pytest.mark.parametrize("key", KEYS)
def test_a_gap_takes_what_it_could_have_held(key: str, state: State) -> None:
    """Without one query exactly what depends on it is missing."""
    found = read(**{key: state}).findings
    assert {feature for feature in NEEDS if feature not in found} == {
        feature for feature, needed in NEEDS.items() if key in needed
    }


@pytest.mark.parametrize("kind", ["Observation", "?"])
def test_what_could_not_be_read_proves_nothing(kind: str) -> None:
    """An unreadable Observation may have been a variant or a site of metastasis."""
    unread = msgspec.structs.replace(whole(), issues=(Issue("warning", "unreadable", "", f"{kind}/x"),))
    found = encode(unread, catalogue().schema, AT).findings
    assert not found.keys() & {"gene_tp53", "gene_braf", "gene_kras", "stage_met_bone", "stage_n_met_sites"}


def test_the_first_statement_of_metastasis_is_known_only_of_all() -> None:
    """How long ago it spread, and whether that came later, is not concluded from a part of the statements."""
    spread = record(patient(), tumour(days=900), condition("C79.3", days=100), coded("21901-4", "M1", UICC, days=100))
    for state, known in (("complete", True), ("partial", False), ("failed", False)):
        ledger = tuple(Retrieval(key, "search", state if key == "tumour" else "complete") for key in KEYS)  # type: ignore[arg-type]
        found = encode(msgspec.structs.replace(spread, retrieval=ledger), catalogue().schema, AT).findings
        assert ("stage_months_since_m1" in found) is ("stage_metachronous" in found) is known
        assert found["stage_m1"].value == 1
        assert found["stage_met_brain"].value == 1
