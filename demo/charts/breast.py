"""Breast: early, diagnosed five weeks ago and operated, in the shapes of US Core and mCODE."""

from datetime import date

from demo.charts.chart import Chart, Lab, Resource
from demo.charts.codes import AJCC, ICD10_CM, ICD_O_3, Element, coding, concept, loinc, quantity, snomed
from demo.charts.genes import variant

_FOUND, _OPERATED, _SEEN = 38, 17, 5  # days before today
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
_MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition/"

_SAMPLE: tuple[Lab, ...] = (
    ("leukocytes", "6690-2", "Leukocytes", 6.1, "10*3/uL"),
    ("erythrocytes", "789-8", "Erythrocytes", 4.45, "10*6/uL"),
    ("hemoglobin", "718-7", "Hemoglobin", 13.3, "g/dL"),
    ("hematocrit", "4544-3", "Hematocrit", 39.8, "%"),
    ("mcv", "787-2", "MCV", 89.4, "fL"),
    ("mch", "785-6", "MCH", 29.9, "pg"),
    ("rdw", "788-0", "Erythrocyte distribution width", 13.1, "%"),
    ("platelets", "777-3", "Platelets", 248.0, "10*3/uL"),
    ("neutrophils-share", "770-8", "Neutrophils/100 leukocytes", 58.0, "%"),
    ("lymphocytes-share", "736-9", "Lymphocytes/100 leukocytes", 31.0, "%"),
    ("monocytes-share", "5905-5", "Monocytes/100 leukocytes", 8.0, "%"),
    ("eosinophils-share", "713-8", "Eosinophils/100 leukocytes", 3.0, "%"),
    ("sodium", "2951-2", "Sodium", 140.0, "mmol/L"),
    ("potassium", "2823-3", "Potassium", 4.1, "mmol/L"),
    ("chloride", "2075-0", "Chloride", 104.0, "mmol/L"),
    ("carbon-dioxide", "2028-9", "Carbon dioxide, total", 25.0, "mmol/L"),
    ("calcium", "17861-6", "Calcium", 9.5, "mg/dL"),
    ("creatinine", "2160-0", "Creatinine", 0.78, "mg/dL"),
    ("urea-nitrogen", "3094-0", "Urea nitrogen", 13.0, "mg/dL"),
    ("glucose", "2345-7", "Glucose", 94.0, "mg/dL"),
    ("albumin", "1751-7", "Albumin", 4.3, "g/dL"),
    ("protein", "2885-2", "Protein", 7.1, "g/dL"),
    ("bilirubin", "1975-2", "Bilirubin, total", 0.5, "mg/dL"),
    ("alt", "1742-6", "Alanine aminotransferase", 19.0, "U/L"),
    ("ast", "1920-8", "Aspartate aminotransferase", 21.0, "U/L"),
    ("alp", "6768-6", "Alkaline phosphatase", 71.0, "U/L"),
    ("tsh", "3016-3", "Thyrotropin", 2.4, "u[IU]/mL"),
    ("ca15-3", "6875-9", "Cancer antigen 15-3", 17.0, "U/mL"),
)


def breast(today: date) -> list[Resource]:
    """54-year-old woman: pT1c pN0 cM0, stage IA, G2, ER 95 %, PR 60 %, HER2 low, Ki-67 18 %, a treated depression."""
    chart = Chart("demo-breast", today, zone="-05:00")
    chart.patient("Breast", "female", 54, meta={"profile": [_US_CORE + "us-core-patient"]})
    _problems(chart)
    _pathology(chart)
    _laboratory(chart)
    return chart.resources


def _problems(chart: Chart) -> None:
    cells = {
        "url": _MCODE + "mcode-histology-morphology-behavior",
        "valueCodeableConcept": concept(coding(ICD_O_3, "8500/3", "Infiltrating duct carcinoma")),
    }
    chart.condition(
        "tumour",
        concept(coding(ICD10_CM, "C50.412"), snomed("254837009", "Malignant neoplasm of breast")),
        _FOUND,
        "biopsy",
        meta={"profile": [_MCODE + "mcode-primary-cancer-condition"]},
        extension=[cells],
        bodySite=[concept(coding(ICD_O_3, "C50.4", "Upper-outer quadrant of breast"))],
    )
    low_mood = concept(coding(ICD10_CM, "F32.A"), snomed("35489007", "Depressive disorder"))
    chart.condition("depression", low_mood, 1400, "primary-care")
    chart.condition("asthma-in-childhood", concept(coding(ICD10_CM, "J45.909")), 15000, **_resolved())
    chart.encounter("primary-care", 210, ["depression"])
    chart.encounter("biopsy", _FOUND + 2, ["tumour"])
    chart.encounter("operation", _OPERATED, ["tumour"], kind="IMP", days=2)
    chart.encounter("clinic", _SEEN, ["tumour", "depression"])


def _resolved() -> Element:
    clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {"clinicalStatus": concept(coding(clinical, "resolved")), "abatementString": "in adolescence"}


def _pathology(chart: Chart) -> None:
    about: Element = {"focus": [chart.reference("Condition", "tumour")]}
    biopsy, specimen = chart.day(_FOUND), chart.moment(_OPERATED - 5, "16:00")
    histology = concept(loinc("59847-4", "Histology and behavior ICD-O-3"))
    chart.observation(
        "histology",
        histology,
        biopsy,
        bodySite=concept(coding(ICD_O_3, "C50.4", "Upper-outer quadrant of breast")),
        valueCodeableConcept=concept(coding(ICD_O_3, "8500/3", "Infiltrating duct carcinoma")),
        **about,
    )
    for name, code, display, percent in (
        ("er", "85329-1", "Cells.estrogen receptor/100 cells", 95),
        ("pr", "85325-9", "Cells.progesterone receptor/100 cells", 60),
        ("ki67", "85330-9", "Cells.Ki-67/100 cells", 18),
    ):
        chart.observation(name, concept(loinc(code, display)), biopsy, valueQuantity=quantity(percent, "%"), **about)
    low = concept(loinc("LA11841-6", "1+"))
    chart.observation(
        "her2", concept(loinc("85319-2", "HER2 by immune stain")), biopsy, valueCodeableConcept=low, **about
    )

    for name, code, display, category in (
        ("t", "21899-0", "Primary tumor.pathology", "pT1c"),
        ("n", "21900-6", "Regional lymph nodes.pathology", "pN0(sn)"),
        ("m", "21907-1", "Distant metastases.clinical", "cM0"),
        ("stage", "21902-2", "Stage group.pathology", "IA"),
        ("grade", "33732-9", "Histology grade", "G2"),
    ):
        answer = concept(coding(AJCC, category))
        chart.observation(name, concept(loinc(code, display)), specimen, valueCodeableConcept=answer, **about)
    for name, code, display, count in (
        ("nodes-positive", "21893-3", "Regional lymph nodes positive", 0),
        ("nodes-examined", "21894-1", "Regional lymph nodes examined", 3),
    ):
        chart.observation(name, concept(loinc(code, display)), specimen, valueInteger=count, **about)
    size = concept(loinc("21889-1", "Size Tumor"))
    chart.observation("size", size, specimen, valueQuantity=quantity(18, "mm"), **about)
    variant(chart, "CHEK2", biopsy, "p.Ile157Thr", "NM_007194.4:c.470T>C", origin="germline", significance="uncertain")


def _laboratory(chart: Chart) -> None:
    shape: Element = {"meta": {"profile": [_US_CORE + "us-core-observation-lab"]}}
    chart.labs(chart.moment(_SEEN, "08:00"), _SAMPLE, **shape)
    ecog = concept(loinc("89247-1", "ECOG performance status"))
    chart.observation("ecog", ecog, chart.day(_SEEN), "survey", valueInteger=0)
    smoking = concept(loinc("72166-2", "Tobacco smoking status"))
    never = concept(snomed("266919005", "Never smoked tobacco"))
    chart.observation("smoking", smoking, chart.day(_SEEN), "social-history", valueCodeableConcept=never)
    chart.vital_signs(_SEEN, pressure=(118, 74), pulse=68, breaths=14, saturation=99, celsius=36.5)
    chart.body_size(_SEEN, 66.2, centimetres=168)
