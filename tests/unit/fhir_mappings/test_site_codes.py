"""A site's own codes: what its table may say, and what results under them mean."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fhir_mappings.concepts import LOINC, SiteCodes, catalogue, use_site
from fhir_mappings.readers.observation_codes import NO_MEANING, meanings_of_codes
from fhir_mappings.retrieval import queries
from fhir_mappings.site_codes import read_overlay, site_codes
from fhir_mappings.table_rows import OverlayError
from tests.site import HEAD, LAB, overlay, reading_by, standing_for
from tests.unit.fhir_mappings.resources_of import (
    ago,
    coded,
    component,
    condition,
    encoded,
    measured,
    observation,
    resource,
)
from tests.unit.fhir_mappings.resources_of import concept as named

ALBUMIN = f"{LAB},ALB1,lab_albumin,,g/L"


def problem(folder: Path, *rows: str) -> str:
    """The only problem of these rows."""
    [told] = read_overlay(overlay(folder, *rows)).problems
    return told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (f"{LAB},ALB1,,,", "parameter: is needed"),
        (f"{LAB},,lab_albumin,,", "code: is needed"),
        (",ALB1,lab_albumin,,", "system: is needed"),
        ("lab,ALB1,lab_albumin,,", "system: 'lab' is no address (as results carry it in coding.system)"),
        (f"{LAB},A  B,lab_albumin,,", "code: 'A  B' is no code"),
        (f"{LAB},{'A' * 129},lab_albumin,,", f"code: '{'A' * 128}' is no code"),
        (f"{LAB},ALB1,lab_albumn,,", "parameter: no parameter is called 'lab_albumn' (is it lab_albumin?)"),
        (
            f"{LAB},ALB1,1751-7,,",
            "parameter: no parameter is called '1751-7' (a public code is written system|code: http://loinc.org|1751-7)",
        ),
        (f"{LAB},ALB1,{LOINC}|0-0,,", f"parameter: the catalogue knows no code 0-0 of {LOINC}"),
        (f"{LAB},VAR,{LOINC}|69548-6,,", "parameter: 69548-6 is never used, or read only together with"),
        (f"{LAB},YP,{LOINC}|101658-3,,", "parameter: 101658-3 is never used, or read only together with"),
        (f"{LAB},ALB1,{LOINC}|1751-7,value,", "meaning: a public code has its own; leave it empty"),
        (f"{LAB},NLR,ratio_nlr,,", "parameter: ratio_nlr is stated by no code: it is computed, or"),
        (f"{LAB},AGE,demo_age_at_baseline,,", "parameter: demo_age_at_baseline is stated by no code"),
        (f"{LAB},ALB1,lab_albumin,level,", "meaning: 'level' is none of lab_albumin, whose codes mean value"),
        (f"{LAB},X,comorb_chf,ignored,", "meaning: 'ignored' is none of comorb_chf, whose codes mean"),
        (f"{LAB},ALB1,lab_albumin,,umol/kg", "unit: 'umol/kg' is no unit of lab_albumin (it is kept in g/dL)"),
        (f"{LAB},E,func_ecog,level,1", "unit: '1': only a number that is converted has one"),
        (
            f"{LOINC},1751-7,lab_crp,,",
            f"code: the catalogue knows 1751-7 of {LOINC} (lab_albumin), and an overlay only",
        ),
        ("urn:oid:2.16.840.1.113883.6.1,1751-7,lab_crp,,", "code: the catalogue knows 1751-7"),
        (f"{LOINC},82810-3,lab_crp,,", "code: the catalogue knows 82810-3"),
        ("http://fhir.de/CodeSystem/bfarm/icd-10-gm,C91.0,entity_breast,category,", "system: what codes of"),
        ("http://fhir.de/CodeSystem/bfarm/ops,5-3,tx_prior_surgery,category,", "system: what codes of"),
        (f"{LAB},ALB1", "2 cells, and the head has 5"),
    ],
)
def test_a_wrong_row_is_told_by_line_and_column(tmp_path: Path, row: str, told: str) -> None:
    """And nothing is read by a table with a wrong row."""
    place, _, said = problem(tmp_path, ALBUMIN, row).partition(": line 3: ")
    assert (place, said[: len(told)]) == ("overlay.csv", told)
    with pytest.raises(OverlayError, match="line 3"):
        site_codes(tmp_path)


def test_all_problems_are_told(tmp_path: Path) -> None:
    """Not only the first; the error of a command says how many there are."""
    overlay(tmp_path, "a,b", f"{LAB},X,y,,", ALBUMIN, f"{LAB},Z,lab_crp,sum,")
    assert [told.split(": ")[1] for told in read_overlay(tmp_path).problems] == ["line 2", "line 3", "line 5"]
    with pytest.raises(OverlayError, match=r"line 2: 2 cells.*and 2 more: oncohooks mapping validate --site"):
        site_codes(tmp_path)


@pytest.mark.parametrize("second", [f"{LAB},ALB1,lab_crp,,", f"{LAB},ALB1,lab_albumin,,"])
def test_a_code_means_one_thing(tmp_path: Path, second: str) -> None:
    """Another parameter, or the same without its unit, is refused; the same row again is no harm."""
    assert (
        problem(tmp_path, ALBUMIN, second) == "overlay.csv: line 3: code: ALB1 means lab_albumin in overlay.csv: line 2"
    )
    assert len(site_codes(overlay(tmp_path, ALBUMIN, ALBUMIN)).codes) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "overlay.csv: line 1: the columns must be system,code,parameter,meaning,unit, with commas between"),
        (b"system;code;parameter;meaning;unit\n", "overlay.csv: line 1: the columns must be"),
        (b"system,code,feature,meaning,unit\n", "overlay.csv: line 1: the columns must be"),
        (b"system,code,parameter,meaning,unit\n\xff", "overlay.csv: not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    """A spreadsheet may write semicolons, or another encoding."""
    (tmp_path / "overlay.csv").write_bytes(content)
    [said] = read_overlay(tmp_path).problems
    assert said.startswith(told)


def test_a_table_as_spreadsheets_write_it_is_read(tmp_path: Path) -> None:
    """With a byte order mark, blanks round cells, empty lines, lines that end in CR LF, columns in another order."""
    text = f"\ufeffcode,system,unit,parameter,meaning\r\n\r\n ALB1 ,{LAB},g/L,lab_albumin,\r\n,,,,\r\n"
    (tmp_path / "overlay.csv").write_text(text, encoding="utf-8", newline="")
    assert site_codes(tmp_path) == site_codes(overlay(tmp_path, "", ALBUMIN))


def test_a_file_in_other_letters_is_told(tmp_path: Path) -> None:
    """Otherwise it would be passed over in silence."""
    (tmp_path / "Overlay.CSV").write_text(HEAD)
    assert read_overlay(tmp_path).problems == ("Overlay.CSV: must be called overlay.csv",)


def test_the_digest_is_of_what_the_rows_say(tmp_path: Path) -> None:
    """Whatever their order; "" where there is none."""
    other = f"{LAB},CRP,lab_crp,,"
    digests = [site_codes(overlay(tmp_path, *rows)).digest for rows in ([ALBUMIN, other], [other, ALBUMIN], [other])]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 12
    assert site_codes(overlay(tmp_path)).digest == ""


def test_a_concept_map_in_xml_is_told(tmp_path: Path) -> None:
    """It is FHIR, and would be passed over."""
    (tmp_path / "ConceptMap-lab.xml").write_text("<ConceptMap/>")
    assert read_overlay(tmp_path).problems == ("ConceptMap-lab.xml: only JSON is read",)


def concept_map(folder: Path, *elements: dict[str, Any], **group: str) -> Path:
    """A ConceptMap from the laboratory's codes to LOINC."""
    systems = {"source": LAB, "target": LOINC} | group
    body = {"resourceType": "ConceptMap", "status": "active", "group": [{**systems, "element": elements}]}
    (folder / "ConceptMap-lab.json").write_text(json.dumps(body))
    return folder


def target(own: str, code: str, **said: Any) -> dict[str, Any]:
    return {"code": own, "target": [{"code": code, **(said or {"equivalence": "equivalent"})}]}


@pytest.mark.parametrize(
    "said", [{"equivalence": "equal"}, {"equivalence": "equivalent"}, {"relationship": "equivalent"}]
)
def test_a_concept_map_says_what_a_table_says(tmp_path: Path, said: dict[str, str]) -> None:
    """In the shapes of R4 and R5; a public code as target."""
    site = site_codes(concept_map(tmp_path, target("ALB1", "1751-7", **said), {"code": "X", "noMap": True}))
    (tmp_path / "ConceptMap-lab.json").unlink()
    assert site.digest == site_codes(overlay(tmp_path, f"{LAB},ALB1,{LOINC}|1751-7,,")).digest


def test_a_concept_map_may_name_a_parameter(tmp_path: Path) -> None:
    """In the system of our parameters; the systems may bear a version."""
    own = {"source": f"{LAB}|2.1", "target": "urn:oncohooks:parameter"}
    [(at, code)] = site_codes(concept_map(tmp_path, target("ALB1", "lab_albumin"), **own)).codes.items()
    assert (at, [concept.key for concept in code.concepts]) == ((LAB, "ALB1"), ["lab_albumin"])


@pytest.mark.parametrize(
    ("element", "told"),
    [
        (
            target("ALB1", "1751-7", equivalence="wider"),
            "group 1, element 1: ALB1: 'wider' is not taken, only equal and",
        ),
        (target("ALB1", "1751-7", relationship="related-to"), "group 1, element 1: ALB1: 'related-to' is not taken"),
        (target("ALB1", "1751-7", comment="?"), "group 1, element 1: ALB1: how the codes are related is needed"),
        (target("ALB1", "0-0"), f"group 1, element 1: parameter: the catalogue knows no code 0-0 of {LOINC}"),
        (
            target("ALB1", "1751-7", equivalence="equal", dependsOn=[{}]),
            "group 1, element 1: ALB1: dependsOn, product: conditions are not read",
        ),
    ],
)
def test_what_is_not_the_same_is_refused(tmp_path: Path, element: dict[str, Any], told: str) -> None:
    """A code that is wider or narrower than its target means something else."""
    [said] = read_overlay(concept_map(tmp_path, element)).problems
    assert said.startswith(f"ConceptMap-lab.json: {told}")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"resourceType":"ValueSet"}', '{"resourceType":"ConceptMap","status":"retired"}']
)
def test_a_file_that_is_no_concept_map_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "conceptmap.json").write_text(text)
    [said] = read_overlay(tmp_path).problems
    assert said.startswith("conceptmap.json: ")


def albumin(tmp_path: Path, row: str, **value: Any) -> tuple[float | None, tuple[str, ...], list[str]]:
    """Value and flags of albumin, and the codes of all issues, of one result under the laboratory's code."""
    with reading_by(overlay(tmp_path, row)):
        found = encoded(observation("ALB1", LAB, **value))
    finding = found.findings.get("lab_albumin")
    read = round(finding.value, 6) if finding else None
    return read, finding.flags if finding else (), [issue.code for issue in found.issues]


UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("quantity", "value", "flags"),
    [
        ({"value": 42}, 4.2, ("unit-assumed",)),
        ({"value": 42, "comparator": "<"}, 4.2, ("comparator", "unit-assumed")),
        ({"value": 42, "unit": " "}, 4.2, ("unit-assumed",)),
        ({"value": 4.2, "unit": "g/dL"}, 4.2, ()),
        ({"value": 4.2, "unit": "g/dl", "code": "g/dL", "system": UCUM}, 4.2, ()),
    ],
)
def test_the_site_says_the_unit_of_results_without_one(
    tmp_path: Path, quantity: dict[str, Any], value: float, flags: tuple[str, ...]
) -> None:
    """The value is then marked; a result's own unit always wins."""
    assert albumin(tmp_path, ALBUMIN, valueQuantity=quantity) == (value, flags, [])


@pytest.mark.parametrize(
    "quantity",
    [
        {"value": 42, "unit": "mmHg"},
        {"value": 42, "unit": "G/DL"},
        {"value": 42, "unit": "mg per liter"},
        {"value": 42, "code": "kat/m2", "system": UCUM},
        {"value": 42, "unit": "g/L", "code": "g/dL"},
    ],
)
def test_a_unit_that_is_one_is_never_overruled(tmp_path: Path, quantity: dict[str, Any]) -> None:
    """Of another quantity, in letters of another size, in words, an unknown code of UCUM, or two that differ."""
    value, _, issues = albumin(tmp_path, ALBUMIN, valueQuantity=quantity)
    assert (value, issues) in [(None, ["unit-unknown"]), (None, ["unit-conflict"])]


def test_without_a_unit_of_the_site_none_is_guessed(tmp_path: Path) -> None:
    """As for public codes."""
    assert albumin(tmp_path, f"{LAB},ALB1,lab_albumin,,", valueQuantity={"value": 42})[2] == ["unit-missing"]


def test_an_integer_has_the_unit_of_the_site(tmp_path: Path) -> None:
    value, flags, _ = albumin(tmp_path, ALBUMIN, valueInteger=42)
    assert value == 4.2
    assert flags == ("unit-assumed",)


def test_the_value_says_by_whose_word(tmp_path: Path) -> None:
    """The rule of a value names the site's code, so that `mapping explain` shows it."""
    folder = overlay(tmp_path, ALBUMIN, f"{LAB},CREA,{LOINC}|2160-0,,")
    with reading_by(folder):
        found = encoded(
            measured("ALB1", 42, "g/L", code={"coding": [{"system": LAB, "code": "ALB1"}]}),
            measured("CREA", 1.1, "mg/dL", code={"coding": [{"system": LAB, "code": "CREA"}]}),
        ).findings
    assert found["lab_albumin"].rule == "value of ALB1, by the site's overlay"
    assert found["lab_creatinine"].rule == "value of 2160-0, sent as CREA"


@pytest.mark.parametrize(
    ("own", "public", "result"),
    [
        ("GCSE", (LOINC, "9267-6"), {"valueInteger": 4}),
        ("KPS", (LOINC, "89243-0"), {"valueInteger": 90}),
        ("UREA", (LOINC, "3091-6"), {"valueQuantity": {"value": 30, "unit": "mg/dL"}}),
        ("URIN", (LOINC, "9192-6"), {"valueQuantity": {"value": 1500, "unit": "mL"}}),
        ("NEUT", (LOINC, "770-8"), {"valueQuantity": {"value": 60, "unit": "%"}}),
    ],
)
def test_a_code_that_stands_for_a_public_one_is_read_as_it(
    tmp_path: Path, own: str, public: tuple[str, str], result: dict[str, Any]
) -> None:
    """Also where the public code itself says how: parts, scales, another substance basis, the time of collection."""
    others = [
        measured("6690-2", 6.0, "10*9/L"),
        observation("9270-0", valueInteger=5),
        observation("9268-4", valueInteger=6),
    ]
    expected = encoded(observation(public[1], public[0], **result), *others)
    with reading_by(standing_for(tmp_path, {own: public})):
        found = encoded(observation(own, LAB, **result), *others)
    assert {key: f.value for key, f in found.findings.items()} == {key: f.value for key, f in expected.findings.items()}
    assert found.findings.keys() > encoded(*others).findings.keys()


def test_every_code_that_a_site_may_stand_for_is_read_alike(tmp_path: Path) -> None:
    """All of the catalogue, one local code each: the same parameters, read in the same way."""
    shipped = catalogue()
    names = {f"L{n}": public for n, public in enumerate(shipped.concepts)}
    taken = read_overlay(standing_for(tmp_path, names)).site.codes
    source = shipped.with_site(SiteCodes(taken, "x"))
    compiled = meanings_of_codes(source)
    read = {name: public for name, public in names.items() if (LAB, name) in taken}
    for name, public in read.items():
        assert source.lookup(LAB, name) == shipped.lookup(*public)
        own, its = compiled.get((LAB, name), NO_MEANING), compiled.get(public, NO_MEANING)
        assert [msgspec.structs.replace(slot, rule="") for slot in own.slots] == [
            msgspec.structs.replace(slot, rule="") for slot in its.slots
        ]
    observed = {
        code for code, meaning in meanings_of_codes(shipped).items() if meaning.slots and code in shipped.concepts
    }
    refused = {code for _, code in observed - set(read.values())}
    assert len(observed & set(read.values())) > 330
    assert refused == {"Patient.birthDate", "Patient.gender", "69548-6", "53041-0"}


@pytest.mark.parametrize("turned", [False, True])
def test_of_several_codings_the_sites_unit_holds_whatever_their_order(tmp_path: Path, *, turned: bool) -> None:
    """The public code beside the site's; two codes of the site with different units contradict each other."""
    codings = [{"system": LOINC, "code": "1751-7"}, {"system": LAB, "code": "ALB1"}]
    both = [{"system": LAB, "code": "ALB2"}, codings[1]]
    with reading_by(overlay(tmp_path, ALBUMIN, f"{LAB},ALB2,lab_albumin,,g/dL")):
        found, unclear = (
            encoded(
                observation("", code={"coding": list(reversed(some)) if turned else some}, valueQuantity={"value": 42})
            )
            for some in (codings, both)
        )
    assert found.findings["lab_albumin"].value == pytest.approx(4.2)
    assert "lab_albumin" not in unclear.findings
    assert [issue.code for issue in unclear.issues] == ["coding-conflict"]


def test_procedures_and_drugs_may_be_coded_by_the_site(tmp_path: Path) -> None:
    """What was done and given; that nothing else was is never known from them."""
    codes = {"RT": ("http://fhir.de/CodeSystem/bfarm/ops", "8-522"), "CIS": ("http://www.whocc.no/atc", "L01XA01")}
    done = resource("Procedure", status="completed", code=named("RT", LAB), performedDateTime=ago(100))
    given = resource(
        "MedicationAdministration", status="completed", medicationCodeableConcept=named("CIS", LAB),
        effectiveDateTime=ago(50),
    )  # fmt: skip
    with reading_by(standing_for(tmp_path, codes)):
        found = encoded(condition("C34.1"), done, given).findings
    assert (found["tx_prior_radiotherapy"].value, found["tx_chemo_platinum"].value) == (1, 1)


def test_components_and_answers_may_be_coded_by_the_site(tmp_path: Path) -> None:
    """A panel of the site with its own components; an answer stays that of the catalogue's levels."""
    codes = {"RR": (LOINC, "85354-9"), "SYS": (LOINC, "8480-6"), "ECOG": (LOINC, "89247-1")}
    systolic = component(
        "SYS", code={"coding": [{"system": LAB, "code": "SYS"}]}, valueQuantity={"value": 120, "unit": "mmHg"}
    )
    with reading_by(standing_for(tmp_path, codes)):
        found = encoded(
            observation("RR", LAB, component=[systolic]),
            coded("ECOG", "LA9623-5", code={"coding": [{"system": LAB, "code": "ECOG"}]}),
        ).findings
    assert (found["vital_sbp"].value, found["func_ecog"].value) == (120, 1)


def test_diagnoses_may_be_coded_by_the_site(tmp_path: Path) -> None:
    """A comorbidity and a cancer type, named as parameters or by the public code that the site's stands for."""
    gm, sct = "http://fhir.de/CodeSystem/bfarm/icd-10-gm", "http://snomed.info/sct"
    rows = (
        f"{LAB},HF,comorb_chf,category,", f"{LAB},BC,{gm}|C50.9,,", f"{LAB},LC,entity_pancreas,category,",
        f"{LAB},SC,{sct}|254837009,,",
    )  # fmt: skip
    with reading_by(overlay(tmp_path, *rows)):
        for code, entity in {"BC": "entity_breast", "LC": "entity_pancreas", "SC": "entity_breast"}.items():
            found = encoded(condition("HF", LAB), condition(code, LAB)).findings
            assert (found["comorb_chf"].value, found[entity].value) == (1, 1)


def test_local_codes_are_searched_for(tmp_path: Path) -> None:
    """Bare in the query of their parameter, with what FHIR and addresses reserve escaped; diagnoses are read anyhow."""
    rows = (f'{LAB},"A,1|x &b",lab_albumin,,', f"{LAB},HF,comorb_chf,category,", f"{LAB},PSA,lab_psa,,")
    plain = _asked_for()
    with reading_by(overlay(tmp_path, *rows)):
        own = _asked_for()
    added = {key: own[key] - plain[key] for key in own if own[key] != plain[key]}
    assert added == {"laboratory": {"A%5C%2C1%5C%7Cx%20%26b"}, "tumour": {"PSA"}}
    assert _asked_for() == plain


def test_codes_without_room_in_their_query_get_one_of_their_own(tmp_path: Path) -> None:
    """No address is longer than proxies let through, and every code is asked for once; what fits nowhere is refused."""
    own = [f"{n:08d}" for n in range(250)]
    plain = _asked_for()
    with reading_by(overlay(tmp_path, *(f"{LAB},{code},lab_albumin,," for code in own))):
        asked = _asked_for()
        assert all(max(len(query.url("x" * 64)), len(query.dated_template)) <= 2_000 for query in queries())
    assert list(asked)[:7] == ["patient", "conditions", "tumour", "genetics", "function", "laboratory", "siteCodes"]
    assert sorted([*(asked["laboratory"] - plain["laboratory"]), *asked["siteCodes"]]) == own
    told = problem(tmp_path, *(f"{LAB},{n:08d},lab_albumin,," for n in range(400)))
    assert "with these codes the query `siteCodes` has" in told
    assert "2,000 is the most" in told


def _asked_for() -> dict[str, set[str]]:
    """The values of `code` in each query."""
    parameters = {query.key: re.search(r"[?&]code=([^&]*)", query.search) for query in queries()}
    return {key: set(found[1].split(",")) if found else set() for key, found in parameters.items()}


def test_a_process_has_one_site(tmp_path: Path) -> None:
    """Where the catalogue is made, other codes are refused; the same ones again are not."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    overlay(one, ALBUMIN)
    overlay(other, f"{LAB},ALB1,lab_crp,,")
    with reading_by(one) as source:
        use_site(lambda: site_codes(one))
        for another in (lambda: site_codes(other), None):
            with pytest.raises(OverlayError, match="another site"):
                use_site(another)
        assert catalogue() is source
    with pytest.raises(OverlayError, match="another site"):
        use_site(lambda: site_codes(one)) if catalogue() else None


def test_what_the_package_was_trained_on_stays(tmp_path: Path) -> None:
    """The digests of catalogue and parameters are those without the site."""
    plain = catalogue()
    with reading_by(overlay(tmp_path, ALBUMIN)) as source:
        assert (source.digest, source.schema.digest) == (plain.digest, plain.schema.digest)
        assert source.concepts.keys() - plain.concepts.keys() == {(LAB, "ALB1")}
        assert all(source.concepts[at] == concepts for at, concepts in plain.concepts.items())
