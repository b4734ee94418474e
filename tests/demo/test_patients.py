"""The demonstration patients."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from demo.charts.traps import MARKUP, TRAPS
from demo.patients import demo_bundle, demo_patients

TODAY = date(2026, 2, 28)
PATIENTS = demo_patients(TODAY)
EVERYTHING = [resource for resources in PATIENTS.values() for resource in resources]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T[\d:]+(Z|[+-]\d{2}:\d{2}))?")


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every member of a resource that holds no others, with its name."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, key)
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, name)
    else:
        yield name, value


def _has_code(patient: str, code: str) -> bool:
    return any(leaf == ("code", code) for leaf in _leaves(PATIENTS[patient]))


def _newest(patient: str, prefix: str) -> date:
    """The newest effective day of the results whose names within the chart begin with `prefix`."""
    days = [r["effectiveDateTime"][:10] for r in PATIENTS[patient] if r["id"].startswith(f"{patient}-{prefix}")]
    return date.fromisoformat(max(days))


def test_eight_patients() -> None:
    """There are eight patients, each known by the id of the Patient that begins the list."""
    assert list(PATIENTS) == [
        "demo-lung",
        "demo-colorectal",
        "demo-breast",
        "demo-treated",
        "demo-sparse",
        "demo-no-cancer",
        "demo-two-primaries",
        "demo-emergency",
    ]
    assert all(resources[0]["resourceType"] == "Patient" for resources in PATIENTS.values())


@pytest.mark.parametrize("patient", PATIENTS)
def test_every_resource_is_valid(patient: str) -> None:
    """Every resource, read back from its JSON, is what fhir.resources takes for valid R4B."""
    for resource in PATIENTS[patient]:
        model = get_fhir_model_class(resource["resourceType"])
        again = model.model_validate_json(json.dumps(resource))
        assert again.model_dump(mode="json", exclude_none=True) == resource


def test_ids_are_unique_and_fit_for_every_server() -> None:
    """No two resources of a type share an id, and none is a bare number, which HAPI refuses from a client."""
    names = Counter((resource["resourceType"], resource["id"]) for resource in EVERYTHING)
    assert names.most_common(1)[0][1] == 1
    assert all(re.fullmatch(r"demo-[a-z0-9\-.]{1,59}", name) for _, name in names)


def test_references_resolve() -> None:
    """Every reference leads to a resource of the same patient."""
    for resources in PATIENTS.values():
        known = {f"{resource['resourceType']}/{resource['id']}" for resource in resources}
        named = {value for name, value in _leaves(resources) if name == "reference"}
        assert named <= known


def test_every_resource_names_its_patient() -> None:
    """Every resource but the Patient itself has the patient as its subject."""
    for patient, resources in PATIENTS.items():
        subjects = {(resource.get("subject") or resource["patient"])["reference"] for resource in resources[1:]}
        assert subjects == {f"Patient/{patient}"}


@pytest.mark.parametrize("today", [TODAY, date(2028, 2, 29), datetime.now(UTC).date()])
def test_nothing_is_in_the_future(today: date) -> None:
    """No date or time lies behind the first moment of today anywhere on Earth; in the emergency none behind noon."""
    first = datetime.combine(today, time(), UTC) - timedelta(hours=14)
    patients = demo_patients(today)
    assert _last_moment([patients.pop("demo-emergency")]) < datetime.combine(today, time(12), UTC)
    assert _last_moment(list(patients.values())) < first
    present = demo_patients()["demo-emergency"]
    assert _last_moment([present]) < datetime.now(UTC)


def _last_moment(charts: list[list[dict[str, Any]]]) -> datetime:
    texts = [value for _, value in _leaves(charts) if isinstance(value, str)]
    moments = [datetime.fromisoformat(text) for text in texts if _DATE.fullmatch(text)]
    assert len(moments) > 20
    return max(moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments)


@pytest.mark.parametrize("patient", ["demo-lung", "demo-colorectal", "demo-breast"])
def test_a_rich_chart_is_inside_the_windows(patient: str) -> None:
    """Vital signs are at most 7 days old, the performance status 30, the histology 90: also when the day ends."""
    for prefix, days in (("pulse", 7), ("ecog", 30), ("weight", 30), ("histology", 90), ("creatinine", 30)):
        name = "kreatinin" if (patient, prefix) == ("demo-colorectal", "creatinine") else prefix
        assert (TODAY - _newest(patient, name)).days < days - 1


@pytest.mark.parametrize("patient", ["demo-lung", "demo-colorectal", "demo-breast", "demo-no-cancer"])
def test_problems_are_documented(patient: str) -> None:
    """A finished encounter of the last twelve months names coded diagnoses, so that an absent problem is a 0."""
    encounters = [resource for resource in PATIENTS[patient] if resource["resourceType"] == "Encounter"]
    recent = [e for e in encounters if e["status"] == "finished" and e["period"]["end"] > "2025-03"]
    assert any(encounter["diagnosis"] for encounter in recent)


def test_the_lung_chart_holds_every_kind_of_resource() -> None:
    """The richest chart has a resource of each type that the service reads."""
    kinds = {resource["resourceType"] for resource in PATIENTS["demo-lung"]}
    assert kinds == {"Patient", "Condition", "Observation", "Encounter", "ImagingStudy", "MolecularSequence"}


def test_body_composition_names_its_scan() -> None:
    """Body composition is derived from the ImagingStudy, and its volumes add up to the total fat."""
    studies = {"ImagingStudy/demo-lung-ct"}
    for resource in PATIENTS["demo-lung"]:
        if "-body-composition-" not in resource["id"]:
            continue
        assert {reference["reference"] for reference in resource["derivedFrom"]} == studies
        volumes = {p["code"]["coding"][0]["code"]: p["valueQuantity"]["value"] for p in resource["component"]}
        fat = [volume for tissue, volume in volumes.items() if tissue not in {"91727004", "3138006", "tat"}]
        assert sum(fat) == volumes["tat"]


@pytest.mark.parametrize("patient", ["demo-lung", "demo-colorectal", "demo-breast"])
def test_blood_counts_are_consistent(patient: str) -> None:
    """The cells of a differential count are not more than all leukocytes; MCV and MCH follow from the other values."""
    names = {"demo-colorectal": ("haematokrit", "erythrozyten", "mcv")}.get(
        patient, ("hematocrit", "erythrocytes", "mcv")
    )
    values = {r["id"]: r["valueQuantity"]["value"] for r in PATIENTS[patient] if "valueQuantity" in r}
    haematocrit, erythrocytes, volume = (values[f"{patient}-{name}"] for name in names)
    percent = haematocrit * 100 if haematocrit < 1 else haematocrit
    assert percent * 10 / erythrocytes == pytest.approx(volume, rel=0.01)


def test_traps_are_set() -> None:
    """Markup stands in a problem's text, a note and a description of the lung chart; misleading prose elsewhere."""
    written = {name for name, value in _leaves(PATIENTS["demo-lung"]) if value == MARKUP}
    assert written == {"text", "description"}
    everything = [value for _, value in _leaves(EVERYTHING)]
    assert all(trap in everything for trap in TRAPS)


def test_only_two_have_more_or_less_than_one_cancer() -> None:
    """The patient without cancer has none but a refuted one; the patient with two has prostate and colon."""
    assert _has_code("demo-two-primaries", "C61")
    assert _has_code("demo-two-primaries", "C18.7")
    suspicion = next(r for r in PATIENTS["demo-no-cancer"] if r["id"] == "demo-no-cancer-suspicion")
    assert suspicion["verificationStatus"]["coding"][0]["code"] == "refuted"


def test_names_are_obviously_invented() -> None:
    """Every family name is Demo."""
    assert {resources[0]["name"][0]["family"] for resources in PATIENTS.values()} == {"Demo"}


def test_the_bundle_puts_each_resource_under_its_own_id() -> None:
    """The transaction holds one PUT for each resource; it may be limited to some patients."""
    bundle = demo_bundle(today=TODAY)
    assert get_fhir_model_class("Bundle").model_validate(bundle)
    assert [entry["resource"] for entry in bundle["entry"]] == EVERYTHING
    assert {entry["request"]["method"] for entry in bundle["entry"]} == {"PUT"}
    one = demo_bundle(["demo-sparse"], TODAY)
    assert next(entry["request"]["url"] for entry in one["entry"]) == "Patient/demo-sparse"
    assert len(one["entry"]) == len(PATIENTS["demo-sparse"])
    with pytest.raises(KeyError):
        demo_bundle(["nobody"])
