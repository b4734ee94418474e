"""Generated records: resources of every kind that is read, with values that are often at a border."""

import copy
from typing import Any

from hypothesis import strategies as st

from fhir_mappings.concepts import LOINC, OWN, SNOMED
from tests.unit.fhir_mappings.resources_of import (
    CLINICAL,
    UICC,
    VERIFICATION,
    Resource,
    ago,
    body_composition,
    coded,
    component,
    concept,
    condition,
    encounter,
    given,
    histology,
    imaging_study,
    listing,
    measured,
    ordered,
    patient,
    procedure,
    reference,
    sequence,
    taken,
    variant,
)

LABS = [
    ("718-7", "g/dL"), ("718-7", "mmol/L"), ("6690-2", "10*9/L"), ("770-8", "%"), ("751-8", "10*9/L"), ("731-0", "/nL"),
    ("2160-0", "mg/dL"), ("2160-0", "umol/L"), ("1975-2", "mg/dL"), ("1751-7", "g/L"), ("2951-2", "mmol/L"),
    ("2075-0", "mmol/L"), ("1963-8", "mmol/L"), ("1988-5", "mg/dL"), ("2532-0", "U/L"), ("29463-7", "kg"),
    ("8302-2", "cm"), ("8480-6", "mm[Hg]"), ("8462-4", "mm[Hg]"), ("8478-0", "mm[Hg]"), ("2703-7", "kPa"),
    ("3150-0", "%"), ("89247-1", "{score}"), ("89243-0", "{score}"), ("9267-6", "{score}"), ("94076-7", "/Mb"),
]  # fmt: skip
ANSWERS = [
    ("21908-9", "IIIA", UICC), ("21908-9", "X", UICC), ("21899-0", "pT2", UICC), ("21899-0", "cT3", UICC),
    ("21900-6", "N1", UICC), ("21901-4", "M0", UICC), ("21901-4", "M1", UICC), ("101658-3", "y", UICC),
    ("72166-2", "266919005", SNOMED), ("72166-2", "449868002", SNOMED), ("89247-1", "LA9624-3", "http://loinc.org"),
    ("81695-9", "LA26203-2", "http://loinc.org"), ("40556-3", "LA6576-8", "http://loinc.org"),
]  # fmt: skip
DIAGNOSES = [
    "C34.1", "C34.9", "C50.4", "C18.0", "C18.7", "C71.1", "C61", "C78.7", "C79.5", "C83.3", "D05.1", "I50.0", "I21.9",
    "E11.9", "J44.9", "I26.9", "R06.0", "K74.6", "N18.4", "S93.4",
]  # fmt: skip
TUMOURS = [code for code in DIAGNOSES if code.startswith("C")]
GENES = ["HGNC:6407", "HGNC:7989", "HGNC:3236", "HGNC:11998", "HGNC:427", "HGNC:3430", "HGNC:3467", "HGNC:1100"]
CHANGES = ["", "p.Gly12Asp", "p.G12D", "p.R273H", "p.L858R", "p.R213*", "p.?", "p.Q61K"]
MORPHOLOGIES = ["8140/3", "8070/3", "8041/3", "8010/3", "8140/0", "9680/3", "8500/3", "8140/6"]

DRUGS = [
    "L01XA01", "L01BC05", "L01FF02", "L01FX04", "L02AE02", "L01XX73", "N02AA01", "H02AB06", "C03CA01", "J01CA04",
    "M05BA08", "B05AX01", "A02BC01", "L01FF99", "4711",
]  # fmt: skip
PROCEDURES = ["5-324.71", "5-870.a1", "8-522.6", "8-531.0", "8-542.11", "8-800.c0", "9-984.8", "1-440.9", "4711"]
TYPES = [
    "Observation", "Condition", "Encounter", "Patient", "MolecularSequence", "ImagingStudy", "MedicationStatement",
    "MedicationRequest", "MedicationAdministration", "Medication", "Procedure", "List", "Basic", "",
]  # fmt: skip

ages = st.sampled_from([0, 0.01, 0.02, 1, 1.01, 5, 7, 29.9, 30, 31, 60, 89, 90, 91, 180, 365, 400, 1800, 2500])
numbers = st.one_of(
    st.sampled_from([0, 0.1, 1, 2, 3, 4, 5, 6.5, 12, 13, 40, 42, 60, 70, 75, 100, 120, 140, 175, 250]),
    st.floats(min_value=-10, max_value=1e6, allow_nan=False),
)
statuses = st.sampled_from(["final", "final", "final", "preliminary", "amended", "corrected"])


@st.composite
def when(draw: st.DrawFn) -> str | None:
    """A time, a date, a month, or nothing."""
    text = ago(draw(ages))
    return draw(st.sampled_from([text, text, text, text[:10], text[:7], None]))


@st.composite
def observations(draw: st.DrawFn) -> Resource:
    members: Resource = {"effectiveDateTime": draw(when()), "status": draw(statuses)}
    if draw(st.booleans()):
        code, unit = draw(st.sampled_from(LABS))
        ranges = draw(st.sampled_from([None, [{"high": {"value": 250, "unit": unit, "code": unit}}]]))
        return measured(code, draw(numbers), unit, referenceRange=ranges, **members)
    code, answer, answers = draw(st.sampled_from(ANSWERS))
    return coded(code, answer, answers, **members)


@st.composite
def panels(draw: st.DrawFn) -> Resource:
    parts = [
        component(code, valueQuantity={"value": draw(numbers), "unit": unit, "code": unit})
        for code, unit in draw(st.lists(st.sampled_from(LABS), max_size=4))
    ]
    members = [reference(f"Observation/r{n}") for n in draw(st.lists(st.integers(0, 12), max_size=3))]
    return coded("21908-9", "II", UICC, component=parts, hasMember=members, effectiveDateTime=draw(when()))


@st.composite
def conditions(draw: st.DrawFn) -> Resource:
    members: Resource = {
        "onsetDateTime": draw(when()),
        "recordedDate": draw(when()),
        "verificationStatus": draw(st.sampled_from([None, concept("confirmed", VERIFICATION)])),
        "clinicalStatus": concept(draw(st.sampled_from(["active", "active", "resolved", "remission"])), CLINICAL),
        "encounter": reference(f"Encounter/r{draw(st.integers(0, 12))}"),
    }
    return condition(draw(st.sampled_from(DIAGNOSES)), **members)


@st.composite
def reports(draw: st.DrawFn) -> Resource:
    focus = draw(st.sampled_from([None, [reference(f"Condition/r{draw(st.integers(0, 12))}")]]))
    return histology(draw(st.sampled_from(MORPHOLOGIES)), draw(ages), focus=focus, status=draw(statuses))


@st.composite
def variants(draw: st.DrawFn) -> Resource:
    presence = draw(st.sampled_from(["LA9633-4", "LA9634-2", "LA0-0"]))
    origin = draw(st.sampled_from([None, "LA6683-2", "LA6684-0"]))
    meaning = draw(st.sampled_from([None, "LA6668-3", "LA26333-7"]))
    parts = [component("48002-0", valueCodeableConcept=concept(origin))] if origin else []
    parts += [component("53037-8", valueCodeableConcept=concept(meaning))] if meaning else []
    gene, change = draw(st.sampled_from(GENES)), draw(st.sampled_from(CHANGES))
    return variant(gene, protein=change, present=presence, parts=parts, days=draw(ages), status=draw(statuses))


@st.composite
def encounters(draw: st.DrawFn) -> Resource:
    kind = draw(st.sampled_from(["EMER", "IMP", "AMB", "ACUTE"]))
    diagnosis = [{"condition": reference(f"Condition/r{draw(st.integers(0, 12))}")}]
    return encounter(kind, draw(ages), draw(st.sampled_from([0.1, 2, 20])), diagnosis=diagnosis)


@st.composite
def measured_images(draw: st.DrawFn) -> Resource:
    volumes = {"91727004": abs(draw(numbers)) + 1, "3138006": abs(draw(numbers)) + 1}
    source = [reference(f"ImagingStudy/r{draw(st.integers(0, 12))}")]
    return body_composition(volumes=volumes, derivedFrom=source, effectiveDateTime=draw(when()))


@st.composite
def drug_uses(draw: st.DrawFn) -> Resource:
    drug, days = draw(st.sampled_from(DRUGS)), draw(ages)
    match draw(st.sampled_from(["given", "taken", "ordered"])):
        case "given":
            return given(drug, effectiveDateTime=draw(when()), status=draw(st.sampled_from(["completed", "not-done"])))
        case "taken":
            return taken(drug, days, draw(st.sampled_from([None, 0, 1, days / 2])), dateAsserted=draw(when()))
        case _:
            return ordered(drug, days, intent=draw(st.sampled_from(["order", "proposal"])))


@st.composite
def procedures(draw: st.DrawFn) -> Resource:
    members: Resource = {
        "performedDateTime": draw(when()),
        "status": draw(st.sampled_from(["completed", "in-progress", "stopped", "unknown"])),
        "reasonReference": [reference(f"Condition/r{draw(st.integers(0, 12))}")],
    }
    return procedure(draw(st.sampled_from(PROCEDURES)), **members)


@st.composite
def lists(draw: st.DrawFn) -> Resource:
    """Mostly of nothing, else of one drug that may be there."""
    code, system = draw(st.sampled_from([("10160-0", LOINC), ("therapy-history", OWN), ("47519-4", LOINC)]))
    entries = draw(st.sampled_from([(), (), (f"MedicationStatement/r{draw(st.integers(0, 12))}",)]))
    return listing(
        code, *entries, system=system, date=draw(when()), mode=draw(st.sampled_from(["snapshot", "changes"]))
    )


others = st.one_of(
    st.builds(imaging_study, st.sampled_from(["CT", "MR"])),
    st.builds(
        sequence,
        st.sampled_from(["NC_000012.11", "NC_000012.12", "NC_000007.13"]),
        st.sampled_from([25398284, 25245350, 140453136]),
        st.sampled_from(["T", "A", "TT"]),
        st.just("C"),
    ),
)
resources = st.one_of(
    observations(), observations(), observations(), panels(), conditions(), conditions(), reports(), variants(),
    encounters(), measured_images(), drug_uses(), drug_uses(), procedures(), lists(), others,
)  # fmt: skip


@st.composite
def charts(draw: st.DrawFn, most: int = 14) -> list[Resource]:
    """A patient and resources named r0, r1, ..., some without an id."""
    person = patient(gender=draw(st.sampled_from(["female", "male", "other"])))
    several = draw(st.lists(resources, max_size=most))
    for number, one in enumerate(several):
        one["id"] = f"r{number}"
        if draw(st.integers(0, 9)) == 0:
            del one["id"]
    return [person, *several]


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.text(max_size=5), st.sampled_from([0, -1, 1.5, 10**30, 10**400, 1e308, 2**63]),
        st.sampled_from(["", "2024", "9999-12-31", "0001-01-01", "final", "Patient/q", "NC_000012.12"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["code", "value"]), inner)),
    max_leaves=5,
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all members and elements below a value."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in below for place in ((*path, key), *places(one, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, base: st.SearchStrategy[Resource] = resources) -> Resource:
    """A resource with up to three members deleted, retyped, duplicated or nested, or the type swapped."""
    whole = copy.deepcopy(draw(base))
    for _ in range(draw(st.integers(1, 3))):
        found = places(whole)
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        holder = whole
        for key in path:
            holder = holder[key]
        match draw(st.sampled_from(["delete", "retype", "nest", "wrap", "duplicate", "type"])):
            case "delete":
                del holder[last]
            case "retype":
                holder[last] = draw(JSON)
            case "nest":
                holder[last] = [holder[last]]
            case "wrap":
                holder[last] = {"coding": holder[last]}
            case "duplicate" if isinstance(holder, list):
                holder.append(holder[last])
            case _:
                whole["resourceType"] = draw(st.sampled_from(TYPES))
    return whole
