"""One record through every reader."""

from fhir_mappings.concepts import catalogue
from fhir_mappings.readers.all_resources import Readings, read_record
from tests.unit.fhir_mappings.resources_of import (
    AT,
    Resource,
    body_composition,
    coded,
    condition,
    documented,
    encounter,
    given,
    histology,
    imaging_study,
    listing,
    measured,
    ordered,
    patient,
    procedure,
    record,
    reference,
    sequence,
    taken,
    variant,
)


def readings(*resources: Resource) -> Readings:
    return read_record(record(*resources), catalogue(), AT)


def told(found: Readings) -> set[str]:
    """Every address of which something is said."""
    said = {s for f in found.findings for s in f.sources} | {i.source for i in found.issues}
    said |= {one.address for one in found.documented} | {one.address for one in found.declared}
    return said | {s for tumour in found.tumours.tumours for s in tumour.sources}


def test_every_resource_of_every_type_is_spoken_of() -> None:
    """Used, or with the reason why not."""
    several = [
        patient(birthDate=None, gender="unknown"),
        condition("C50.4", id="tumour"),
        condition("C83.3", id="lymphoma"),
        condition("E66.9", id="obesity"),
        encounter(id="visit", days=700),
        imaging_study(id="ct"),
        imaging_study(id="other"),
        body_composition(id="bca", derivedFrom=[reference("ImagingStudy/ct")]),
        sequence("NC_000012.11", 25398284, "T", "C", id="seq"),
        variant("HGNC:6407", protein="p.G12D", id="var"),
        histology("8500/3", id="cells"),
        measured("718-7", 13, "g/dL", id="hb"),
        measured("99999-9", 13, "g/dL", id="unknown"),
        given("L01XA01", id="dose"),
        taken("A02BC01", id="antacid"),
        ordered("N02AA01", 300, id="old"),
        procedure("5-870.a1", id="operation"),
        listing("10160-0", id="medication"),
        listing("11450-4", id="problems"),
    ]
    addresses = {f"{r['resourceType']}/{r['id']}" for r in several}
    assert addresses <= told(readings(*several))


def test_what_nobody_asks_for_is_said_to_be_so() -> None:
    """A patient of whom nothing is known, a scan, an old visit."""
    unneeded = [patient(birthDate=None, gender=None), imaging_study(id="ct"), encounter(id="a", days=700)]
    found = readings(*unneeded, encounter(id="b", days=3))
    left = {issue.source for issue in found.issues if issue.code == "not-needed"}
    assert left == {"Patient/p", "ImagingStudy/ct", "Encounter/a"}


def test_the_proof_of_documented_problems_is_kept() -> None:
    """By the address of the encounter."""
    assert [one.address for one in readings(*documented()).documented] == ["Encounter/visit"]
    assert readings().documented == ()


def test_a_variant_and_a_histology_are_no_plain_results() -> None:
    """They have readers of their own, and none of them raises an unknown code."""
    found = readings(variant("HGNC:6407", protein="p.G12D"), condition("C50.4"), histology("8500/3"), coded("x", "y"))
    assert sum(issue.code == "code-unknown" for issue in found.issues) == 1
