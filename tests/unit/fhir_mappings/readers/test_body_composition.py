"""Body composition of one CT -> tissue ratios."""

from typing import Any

import pytest

from fhir_mappings.concepts import SNOMED, catalogue
from fhir_mappings.encoder import encode
from tests.unit.fhir_mappings.resources_of import (
    AT,
    BASE,
    TISSUES,
    Resource,
    ago,
    body_composition,
    codes,
    concept,
    finding,
    imaging_study,
    record,
    reference,
    value,
)

RATIO, THORACIC = "bca_abdominal_muscle_bone_ratio", "bca_thoracic_muscle_bone_ratio"
MUSCLE, BONE, SUBCUTANEOUS, VISCERAL = "91727004", "3138006", "67769002", "RID50365"


def derived(address: str = "ImagingStudy/ct", **members: Any) -> Resource:
    return body_composition(derivedFrom=[reference(address)], **members)


def test_ratios_are_those_of_the_named_cavity() -> None:
    """Abdominal here, thoracic there, never mixed."""
    assert value(RATIO, body_composition()) == 2
    assert value(THORACIC, body_composition()) is None
    assert value(THORACIC, body_composition("43799004")) == 2


def test_each_ratio_has_its_tissues() -> None:
    """The profile calls subcutaneous fat by two codes."""
    volumes = {MUSCLE: 3000, BONE: 1500, "imat": 300, "tat": 9000, VISCERAL: 2000, SUBCUTANEOUS: 4000}
    whole = body_composition(volumes=volumes)
    expected = {
        RATIO: 2,
        "bca_abdominal_imat_muscle_ratio": 0.1,
        "bca_abdominal_tat_bone_ratio": 6,
        "bca_vat_sat_ratio": 0.5,
    }
    assert {key: value(key, whole) for key in expected} == pytest.approx(expected)
    assert value("bca_vat_sat_ratio", body_composition(volumes={VISCERAL: 2000, "sat": 4000})) == 0.5


@pytest.mark.parametrize("address", ["ImagingStudy/ct", "ImagingStudy/ct/_history/1", f"{BASE}/ImagingStudy/ct"])
def test_the_study_is_a_source_and_gives_the_date(address: str) -> None:
    """What was imaged, and when; the measurement may be years later."""
    found = finding(RATIO, imaging_study(id="ct", days=20), derived(address, id="bca", days=1))
    assert found.sources == ("Observation/bca", "ImagingStudy/ct")
    assert found.effective is not None
    assert found.effective.isoformat() == ago(20)


def test_the_study_may_be_named_by_urn_or_as_what_the_result_is_part_of() -> None:
    """Both shapes are in use."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000009"
    whole = record(imaging_study("MR", id="ct"), derived(urn), urls={"ct": urn})
    assert RATIO not in encode(whole, catalogue().schema, AT).findings
    part = body_composition(partOf=[reference("ImagingStudy/ct")])
    assert len(finding(RATIO, imaging_study(id="ct"), part).sources) == 2


@pytest.mark.parametrize("modality", ["MR", "US", "DX"])
def test_only_ct_is_measured(modality: str) -> None:
    """Hounsfield units exist nowhere else."""
    assert value(RATIO, imaging_study(modality, id="ct"), derived()) is None
    assert "imaging-not-used" in codes(imaging_study(modality, id="ct"), derived())


def test_the_modality_may_be_that_of_a_series() -> None:
    """A PET-CT holds both."""
    series = [{"modality": {"code": "PT"}}, {"modality": {"code": "CT"}}]
    assert value(RATIO, imaging_study(id="ct", modality=None, series=series), derived()) == 2
    assert value(RATIO, imaging_study(id="ct", modality=None, series=series[:1]), derived()) is None


@pytest.mark.parametrize(
    "members",
    [
        {"status": "cancelled"},
        {"status": "entered-in-error"},
        {"started": ago(-1)},
        {"modifierExtension": [{"url": "urn:x"}]},
        {"implicitRules": "urn:x"},
    ],
)
def test_a_study_that_was_not_made_or_not_yet_is_not_used(members: Resource) -> None:
    """Its measurements are not either."""
    assert value(RATIO, imaging_study(id="ct", **members), derived()) is None
    assert "imaging-not-used" in codes(imaging_study(id="ct", **members), derived())


@pytest.mark.parametrize(("days", "expected"), [(60, 2), (61, None)])
def test_a_measurement_serves_60_days(days: float, expected: float | None) -> None:
    """Counted from the study."""
    assert value(RATIO, imaging_study(id="ct", days=days), derived()) == expected


@pytest.mark.parametrize(
    "site",
    [None, concept("39607008", SNOMED), concept("361473009", "urn:other"),
     {"coding": [{"system": SNOMED, "code": "361473009"}, {"system": SNOMED, "code": "43799004"}]}],
)  # fmt: skip
def test_without_one_known_cavity_there_is_no_ratio(site: Resource | None) -> None:
    """Another organ, another system, two cavities."""
    unknown = body_composition(bodySite=site)
    assert value(RATIO, unknown) is None
    assert "region-unknown" in codes(unknown)


@pytest.mark.parametrize(
    ("volumes", "code"),
    [
        ({MUSCLE: 3000}, "parts-missing"),
        ({MUSCLE: 3000, BONE: 0}, "parts-missing"),
        ({MUSCLE: -3000, BONE: 1500}, "parts-missing"),
        ({MUSCLE: 3000, BONE: 1}, "implausible"),
        ({MUSCLE: 1e308, BONE: 1e-308}, "implausible"),
    ],
)
def test_a_missing_or_impossible_volume_makes_no_ratio(volumes: dict[str, float], code: str) -> None:
    """Zero is no bone, and three litres over a millilitre is no ratio."""
    assert value(RATIO, body_composition(volumes=volumes)) is None
    assert code in codes(body_composition(volumes=volumes))


def test_a_volume_in_another_unit_or_stated_twice_is_left_out() -> None:
    """Litres beside millilitres would be a thousandfold."""
    litres = body_composition()
    litres["component"][0]["valueQuantity"] |= {"code": "L", "unit": "mL"}
    assert value(RATIO, litres) is None
    twice = body_composition()
    twice["component"].append(
        {"code": concept(MUSCLE, TISSUES), "valueQuantity": {"value": 2000, "code": "mL", "unit": "mL"}}
    )
    assert value(RATIO, twice) is None


def test_two_studies_are_never_averaged() -> None:
    """The newest stands."""
    old = body_composition(volumes={MUSCLE: 4500, BONE: 1500}, days=30)
    assert value(RATIO, old, body_composition(days=2)) == 2


def test_a_preliminary_measurement_is_marked_and_one_in_error_not_used() -> None:
    """As any other result."""
    assert finding(RATIO, body_composition(status="preliminary")).flags == ("preliminary",)
    assert value(RATIO, body_composition(status="entered-in-error")) is None


def test_that_a_study_was_done_is_no_finding() -> None:
    """An examination is a decision about care."""
    assert codes(imaging_study()) == {"not-needed"}


def test_a_code_of_another_system_is_no_tissue() -> None:
    """Only the profile's own value set."""
    mixed = body_composition()
    mixed["component"][0]["code"]["coding"][0]["system"] = SNOMED
    assert value(RATIO, mixed) is None
    assert codes(mixed) == {"parts-missing"}


def test_a_study_of_this_very_moment_is_used() -> None:
    """It is not of the future."""
    assert value(RATIO, imaging_study(id="ct", days=0), derived(days=0)) == 2


def test_one_possible_ratio_is_used_beside_an_impossible_one() -> None:
    """And the impossible one is told."""
    mixed = body_composition(volumes={MUSCLE: 3000, BONE: 1500, "tat": 1e9})
    assert value(RATIO, mixed) == 2
    assert codes(mixed) == {"implausible"}
