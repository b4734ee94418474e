"""Colon: resected five weeks ago, stage IIIB, in the shapes and units of the German core data set (MII Onko, Labor)."""

from datetime import date

from demo.charts.chart import Chart, Resource
from demo.charts.codes import (
    ICD10_GM,
    ICD_O_3,
    LOINC,
    SNOMED,
    UICC,
    Element,
    coding,
    concept,
    loinc,
    quantity,
    snomed,
    uncoded,
)
from demo.charts.genes import not_found, variant

_ONKO = "https://www.medizininformatik-initiative.de/fhir/ext/modul-onko/"
_CODES = _ONKO + "CodeSystem/mii-cs-onko-"
_LABOR = "https://www.medizininformatik-initiative.de/fhir/core/modul-labor/StructureDefinition/"
_CERTAINTY = "http://fhir.de/StructureDefinition/icd-10-gm-diagnosesicherheit"
_LETTERS = "https://fhir.kbv.de/CodeSystem/KBV_CS_SFHIR_ICD_DIAGNOSESICHERHEIT"

_FOUND, _OPERATED, _REPORTED, _HOME, _SEEN = 52, 35, 30, 25, 4  # days before today

# Name, LOINC codes (two for one analysis: the core data set allows it), value as the laboratory writes it.
_SAMPLE: tuple[tuple[str, tuple[str, ...], Element], ...] = (
    ("leukozyten", ("26464-8",), quantity(6.4, "Gpt/l", "10*9/L")),
    ("erythrozyten", ("26453-1",), quantity(4.31, "Tpt/l", "10*12/L")),
    ("haemoglobin", ("59260-0",), quantity(7.2, "mmol/l", "mmol/L")),
    ("haematokrit", ("71833-8",), quantity(0.36, "l/l", "L/L")),
    ("mcv", ("787-2", "30428-7"), quantity(83.5, "fl", "fL")),
    ("mch", ("785-6", "28539-5"), quantity(26.9, "pg")),
    ("thrombozyten", ("26515-7", "777-3"), uncoded(388.0, "Gpt/l")),
    ("neutrophile", ("26499-4", "751-8"), uncoded(4.1, "Gpt/l")),
    ("lymphozyten", ("26474-7", "731-0"), uncoded(1.5, "Gpt/l")),
    ("monozyten", ("26484-6",), uncoded(0.6, "Gpt/l")),
    ("eosinophile", ("26449-9",), uncoded(0.2, "Gpt/l")),
    ("natrium", ("2951-2",), quantity(139.0, "mmol/l", "mmol/L")),
    ("kalium", ("2823-3",), quantity(4.4, "mmol/l", "mmol/L")),
    ("chlorid", ("2075-0",), quantity(103.0, "mmol/l", "mmol/L")),
    ("calcium", ("2000-8",), quantity(2.31, "mmol/l", "mmol/L")),
    ("kreatinin", ("14682-9",), quantity(74.0, "µmol/l", "umol/L")),
    ("harnstoff", ("22664-7",), quantity(4.6, "mmol/l", "mmol/L")),
    ("glukose", ("14749-6",), quantity(7.4, "mmol/l", "mmol/L")),
    ("hba1c", ("59261-8",), quantity(48.0, "mmol/mol")),
    ("albumin", ("1751-7",), quantity(37.0, "g/l", "g/L")),
    ("gesamteiweiss", ("2885-2",), quantity(68.0, "g/l", "g/L")),
    ("bilirubin", ("14631-6",), quantity(8.6, "µmol/l", "umol/L")),
    ("alat", ("1742-6", "1743-4"), quantity(0.38, "µkat/l", "ukat/L")),
    ("asat", ("1920-8", "30239-8"), quantity(0.42, "µkat/l", "ukat/L")),
    ("ggt", ("2324-2",), quantity(31.0, "U/l", "U/L")),
    ("ap", ("6768-6",), quantity(84.0, "U/l", "U/L")),
    ("crp", ("1988-5",), quantity(0.9, "mg/dl", "mg/dL")),
    ("ferritin", ("2276-4",), quantity(18.0, "µg/l", "ug/L")),
    ("cea", ("2039-6",), quantity(2.1, "µg/l", "ug/L")),
    ("inr", ("6301-6",), uncoded(1.0, "INR")),
)


def colorectal(today: date) -> list[Resource]:
    """63-year-old woman: right-sided pT3 pN1b cM0 G2 R0, KRAS G13D, iron deficiency, diabetes, an old infarction."""
    chart = Chart("demo-colorectal", today)
    chart.patient("Kolon", "female", 63)
    _problems(chart)
    _pathology(chart)
    _laboratory(chart)
    ecog = concept(snomed("423740007", "ECOG performance status"), loinc("89262-0", "Physical performance [ECOG]"))
    graded = concept(coding(_CODES + "allgemeiner-leistungszustand-ecog", "1"), loinc("LA9623-5"))
    chart.observation("ecog", ecog, chart.day(_SEEN), "survey", valueCodeableConcept=graded)
    chart.vital_signs(_SEEN, pressure=(131, 78), pulse=76, breaths=15, saturation=97, celsius=36.6)
    chart.body_size(_SEEN, 68.0, centimetres=165)
    return chart.resources


def _problems(chart: Chart) -> None:
    cells = {
        "url": "http://hl7.org/fhir/us/mcode/StructureDefinition/mcode-histology-morphology-behavior",
        "valueCodeableConcept": concept(coding(ICD_O_3, "8140/3", "Adenokarzinom")),
    }
    chart.condition(
        "tumour",
        concept(_icd("C18.2", "G"), snomed("93761005", "Primary malignant neoplasm of colon")),
        _FOUND,
        "operation",
        meta={"profile": [_ONKO + "StructureDefinition/mii-pr-onko-diagnose-primaertumor"]},
        extension=[cells],
        bodySite=[concept(coding(ICD_O_3, "C18.2", "Colon ascendens"))],
    )
    chart.condition("diabetes", concept(_icd("E11.90", "G"), snomed("44054006", "Diabetes mellitus type 2")), 3300)
    chart.condition("infarction", concept(_icd("I25.29", "G")), 2500)
    chart.condition("anaemia", concept(_icd("D50.0", "G")), _FOUND)
    # suspected, ruled out, state after: the letter decides, whatever the statuses say
    for name, code, letter in (("gallstones", "K80.20", "V"), ("embolism", "I26.9", "A"), ("stroke", "I63.9", "Z")):
        chart.condition(name, concept(_icd(code, letter)), 33)
    chart.encounter(
        "operation", _OPERATED + 1, ["tumour", "diabetes", "anaemia"], kind="IMP", days=_OPERATED + 1 - _HOME
    )
    chart.encounter("clinic", _SEEN, ["tumour", "diabetes", "infarction"])
    chart.put(
        "Procedure",
        "resection",
        status="completed",
        code=concept(
            coding("http://fhir.de/CodeSystem/bfarm/ops", "5-455.41", "Hemikolektomie rechts", version="2025")
        ),
        subject=chart.subject,
        performedDateTime=chart.day(_OPERATED),
    )


def _pathology(chart: Chart) -> None:
    """The report on the specimen: TNM as a grouper with members, whose codings say p or c, not their values."""
    about: Element = {"focus": [chart.reference("Condition", "tumour")]}
    when = chart.day(_REPORTED)
    named: dict[str, tuple[Element, str, str]] = {
        "t": (snomed("384625004", "pT category"), UICC, "T3"),
        "n": (snomed("371494008", "pN category"), UICC, "N1b"),
        "m": (snomed("399387003", "cM category"), UICC, "M0"),
        "l": (snomed("395715009", "Status of lymphatic (small vessel) invasion by tumor"), UICC, "L1"),
        "v": (snomed("371493002", "Status of venous (large vessel) invasion by tumor"), UICC, "V0"),
        "pn": (snomed("371513001", "Presence of direct invasion by primary neoplasm to nerve"), UICC, "Pn0"),
        "stage": (snomed("399588009", "Pathologic TNM stage grouping"), UICC, "IIIB"),
        "residual": (snomed("277062004", "Status des Residualtumors"), _CODES + "residualstatus", "R0"),
    }
    for name, (code, system, category) in named.items():
        members = (
            [chart.reference("Observation", m) for m in ("t", "n", "m", "l", "v", "pn")] if name == "stage" else []
        )
        answer = concept(coding(system, category))
        chart.observation(name, concept(code), when, valueCodeableConcept=answer, hasMember=members, **about)

    grade = concept(loinc("33732-9", "Histology grade"), snomed("371469007", "Histologic grade of neoplasm"))
    moderate = concept(coding(_CODES + "grading", "2", "mäßig differenziert"))
    chart.observation("grade", grade, when, valueCodeableConcept=moderate, **about)
    chart.observation(
        "histology",
        concept(loinc("59847-4", "Histology and behavior ICD-O-3")),
        when,
        bodySite=concept(coding(ICD_O_3, "C18.2", "Colon ascendens")),
        valueCodeableConcept=concept(coding(ICD_O_3, "8140/3", "Adenokarzinom"), text="Mäßig diff. Adenokarzinom"),
        **about,
    )
    for name, first, second, count in (
        ("nodes-positive", "21893-3", "443527007", 2),
        ("nodes-examined", "21894-1", "444025001", 19),
    ):
        code = concept(coding(LOINC, first), coding(SNOMED, second))
        chart.observation(name, code, when, valueQuantity=quantity(count, "1"), **about)
    size = concept(loinc("21889-1", "Size Tumor"))
    chart.observation("size", size, when, valueQuantity=quantity(4.2, "cm"), **about)
    stable = concept(loinc("LA14122-8", "Stable"))
    chart.observation("msi", concept(loinc("81695-9")), when, valueCodeableConcept=stable, **about)
    variant(chart, "KRAS", when, "p.(Gly13Asp)", "NM_004985.5:c.38G>A", fraction=0.22)
    not_found(chart, "NRAS", when)
    not_found(chart, "BRAF", when)


def _laboratory(chart: Chart) -> None:
    when = chart.moment(_SEEN, "07:30")
    categories = [
        concept(
            coding(LOINC, "26436-6", "Laboratory studies (set)"),
            coding("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"),
        )
    ]
    shape: Element = {"meta": {"profile": [_LABOR + "ObservationLab"]}, "category": categories}
    for name, codes, value in _SAMPLE:
        chart.observation(name, concept(*map(loinc, codes)), when, valueQuantity=value, **shape)
    ldh = concept(loinc("14804-9"), loinc("2532-0"))
    earlier = chart.moment(_SEEN + 7, "07:40")
    chart.observation("ldh", ldh, earlier, valueQuantity=quantity(3.3, "µkat/l", "ukat/L"), **shape)
    # the newer sample is haemolysed: its potassium-rich, LDH-rich cells have burst, so this value must not be taken
    haemolysed = {
        "url": _LABOR + "InterpretationsbeeinflussendeEigenschaft",
        "valueCoding": snomed("118128002", "Specimen hemolyzed"),
    }
    raised = quantity(6.9, "µkat/l", "ukat/L")
    chart.observation("ldh-haemolysed", ldh, when, valueQuantity=raised, modifierExtension=[haemolysed], **shape)
    before = chart.moment(_OPERATED + 3, "07:50")
    chart.observation(
        "cea-before", concept(loinc("2039-6")), before, valueQuantity=quantity(6.8, "µg/l", "ug/L"), **shape
    )


def _icd(code: str, letter: str) -> Element:
    certainty = {"url": _CERTAINTY, "valueCoding": coding(_LETTERS, letter)}
    return coding(ICD10_GM, code, version="2025", extension=[certainty])
