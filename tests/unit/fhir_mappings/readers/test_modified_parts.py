"""Components whose meaning a modifier may change."""

import pytest

from fhir_mappings.concepts import SNOMED
from tests.unit.fhir_mappings.resources_of import (
    UCUM,
    Resource,
    body_composition,
    codes,
    component,
    concept,
    observation,
    value,
    variant,
)

UNKNOWN = [{"url": "https://elsewhere.example/estimated", "valueBoolean": True}]
HAEMOLYSED = [{"url": "urn:quality", "valueCodeableConcept": concept("118128002", SNOMED)}]


def part(code: str, number: float, unit: str, **members: object) -> Resource:
    return component(code, valueQuantity={"value": number, "code": unit, "system": UCUM}, **members)


def pressure(**members: object) -> Resource:
    parts = [part("8480-6", 120, "mm[Hg]", **members), part("8462-4", 80, "mm[Hg]")]
    return observation("85354-9", component=parts)


def test_a_component_with_an_unknown_modifier_is_left_out() -> None:
    """The others of the same Observation are read."""
    assert [value(f"vital_{name}", pressure()) for name in ("sbp", "dbp")] == [120, 80]
    modified = pressure(modifierExtension=UNKNOWN)
    assert [value(f"vital_{name}", modified) for name in ("sbp", "dbp", "map")] == [None, 80, None]
    assert codes(modified) == {"modifier-unknown"}


def test_a_component_says_itself_why_it_has_no_value() -> None:
    """A value beside the reason is none."""
    absent = pressure(dataAbsentReason=concept("not-performed"))
    assert [value(f"vital_{name}", absent) for name in ("sbp", "dbp")] == [None, 80]
    assert "data-absent" in codes(absent)


def test_a_known_quality_of_a_component_is_that_of_the_sample() -> None:
    """Haemolysis spoils potassium, not sodium."""
    parts = [part("2823-3", 4, "mmol/L", modifierExtension=HAEMOLYSED), part("2951-2", 140, "mmol/L")]
    panel = observation("24323-8", component=parts)
    assert [value(key, panel) for key in ("lab_potassium", "lab_sodium")] == [None, 140]
    assert codes(panel) == {"haemolysed"}


def test_a_variant_with_a_modified_component_is_not_used_at_all() -> None:
    """Gene, change and significance are one statement."""
    kras = variant("HGNC:6407", "KRAS", "p.Gly12Asp")
    kras["component"][1]["modifierExtension"] = UNKNOWN
    assert value("gene_kras", kras) is None
    assert codes(kras) == {"modifier-unknown"}


@pytest.mark.parametrize("modified", [True, False])
def test_a_tissue_with_an_unknown_modifier_forms_no_ratio(*, modified: bool) -> None:
    """Nor is it taken from elsewhere."""
    scan = body_composition()
    if modified:
        scan["component"][0]["modifierExtension"] = UNKNOWN
    assert (value("bca_abdominal_muscle_bone_ratio", scan) is None) is modified
