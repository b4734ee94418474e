"""Bladder: metastatic, in its second line of treatment; what was given, and what the last CT measured."""

from datetime import date

from demo.charts.chart import Chart, Lab, Resource
from demo.charts.codes import AJCC, ATC, DICOM, ICD10, ICD_O_3, PARAMETER, coding, concept, loinc, quantity, snomed
from demo.charts.genes import not_found, variant

_FOUND, _OPERATED, _SPREAD, _SCANNED, _SEEN = 420, 390, 160, 12, 3  # days before today
_PLATINUM_DAYS = (150, 129, 108, 87)
_IMMUNE_DAYS = (48, 27, 6)

_SAMPLE: tuple[Lab, ...] = (
    ("leukocytes", "6690-2", "Leukocytes", 8.9, "10*9/L"),
    ("hemoglobin", "718-7", "Hemoglobin", 10.4, "g/dL"),
    ("platelets", "777-3", "Platelets", 338.0, "10*9/L"),
    ("neutrophils", "751-8", "Neutrophils", 6.8, "10*9/L"),
    ("lymphocytes", "731-0", "Lymphocytes", 1.1, "10*9/L"),
    ("sodium", "2951-2", "Sodium", 135.0, "mmol/L"),
    ("potassium", "2823-3", "Potassium", 4.6, "mmol/L"),
    ("calcium", "17861-6", "Calcium", 9.6, "mg/dL"),
    ("creatinine", "2160-0", "Creatinine", 1.3, "mg/dL"),
    ("albumin", "1751-7", "Albumin", 3.2, "g/dL"),
    ("bilirubin", "1975-2", "Bilirubin, total", 0.7, "mg/dL"),
    ("alt", "1742-6", "Alanine aminotransferase", 34.0, "U/L"),
    ("alp", "6768-6", "Alkaline phosphatase", 182.0, "U/L"),
    ("crp", "1988-5", "C reactive protein", 38.0, "mg/L"),
)


def treated(today: date) -> list[Resource]:
    """70-year-old man: bladder cancer with liver metastases after cisplatin, now pembrolizumab, morphine; ECOG 2."""
    chart = Chart("demo-treated", today)
    chart.patient("Treated", "male", 70)
    _problems(chart)
    _tissue(chart)
    _treatment(chart)
    _function(chart)
    _imaging(chart)
    return chart.resources


def _problems(chart: Chart) -> None:
    tumour = concept(coding(ICD10, "C67.9"), snomed("399326009", "Malignant tumor of urinary bladder"))
    chart.condition("tumour", tumour, _FOUND, "clinic", bodySite=[concept(coding(ICD_O_3, "C67.9", "Bladder"))])
    liver = concept(coding(ICD10, "C78.7"), snomed("94381002", "Metastatic malignant neoplasm to liver"))
    chart.condition("liver-metastasis", liver, _SPREAD, "clinic")
    chart.condition("hypertension", concept(coding(ICD10, "I10"), snomed("38341003", "Hypertension")), 3600, "clinic")
    chart.encounter("clinic", _SEEN, ["tumour", "liver-metastasis", "hypertension"])


def _tissue(chart: Chart) -> None:
    about = [chart.reference("Condition", "tumour")]
    for name, code, display, category, ago in (
        ("stage", "21908-9", "Stage group.clinical", "IIIA", _FOUND - 10),
        ("m", "21907-1", "Distant metastases.clinical", "cM1b", _SPREAD),
    ):
        answer = concept(coding(AJCC, category))
        named = concept(loinc(code, display))
        chart.observation(name, named, chart.day(ago), focus=about, valueCodeableConcept=answer)
    when = chart.moment(_SPREAD, "15:00")
    variant(chart, "TP53", when, "p.Arg248Gln", "NM_000546.6:c.743G>A", fraction=0.4)
    not_found(chart, "KRAS", when)


def _treatment(chart: Chart) -> None:
    """Every dose that was given, as an infusion clinic writes it; what is taken at home, as a list says it."""
    removed = concept(coding("http://fhir.de/CodeSystem/bfarm/ops", "5-576.20", "Radikale Zystektomie", version="2025"))
    day = chart.day(_OPERATED)
    chart.put("Procedure", "cystectomy", status="completed", code=removed, subject=chart.subject, performedDateTime=day)
    for name, code, drug, days in (
        ("cisplatin", "L01XA01", "cisplatin", _PLATINUM_DAYS),
        ("gemcitabine", "L01BC05", "gemcitabine", _PLATINUM_DAYS),
        ("pembrolizumab", "L01FF02", "pembrolizumab", _IMMUNE_DAYS),
    ):
        for number, ago in enumerate(days, 1):
            chart.put(
                "MedicationAdministration",
                f"{name}-{number}",
                status="completed",
                medicationCodeableConcept=concept(coding(ATC, code, drug)),
                subject=chart.subject,
                effectiveDateTime=chart.moment(ago, "11:00"),
            )
    chart.put(
        "MedicationStatement",
        "morphine",
        status="active",
        medicationCodeableConcept=concept(coding(ATC, "N02AA01", "morphine")),
        subject=chart.subject,
        effectivePeriod={"start": chart.day(40)},
        dateAsserted=chart.day(_SEEN),
    )


def _function(chart: Chart) -> None:
    ecog = concept(loinc("89247-1", "ECOG Performance Status"), snomed("423740007"))
    ambulatory = concept(loinc("LA9624-3", "Ambulatory and capable of all selfcare but unable to carry out any work"))
    chart.observation("ecog", ecog, chart.day(_SEEN), "survey", valueCodeableConcept=ambulatory)
    chart.vital_signs(_SEEN, pressure=(126, 74), pulse=94, breaths=17, saturation=96, celsius=36.8)
    chart.body_size(_SEEN, 66.0, centimetres=174)
    chart.body_size(_SEEN + 170, 74.0, suffix="-earlier")
    chart.labs(chart.moment(_SEEN, "08:05"), _SAMPLE)


def _imaging(chart: Chart) -> None:
    """Measured on one CT; no public code is known for these, so the site writes the catalogue's own."""
    when = chart.moment(_SCANNED, "10:20")
    scan = coding(DICOM, "CT", "Computed Tomography")
    chart.put("ImagingStudy", "ct", status="available", modality=[scan], subject=chart.subject, started=when)
    for name, key, value, unit in (
        ("muscle", "bca_l3_skeletal_muscle_index", 38.5, "cm2/m2"),
        ("muscle-density", "bca_l3_muscle_hu", 28.0, "[hnsf'U]"),
        ("lesions", "img_recist_sum", 118.0, "mm"),
        ("largest-lesion", "img_largest_lesion", 52.0, "mm"),
    ):
        measured = quantity(value, unit)
        study = [chart.reference("ImagingStudy", "ct")]
        code = concept(coding(PARAMETER, key))
        chart.observation(name, code, when, "imaging", valueQuantity=measured, derivedFrom=study)
    ejection = concept(loinc("10230-1", "Left ventricular Ejection fraction"))
    when = chart.moment(30, "09:40")
    chart.observation("ejection-fraction", ejection, when, "imaging", valueQuantity=quantity(57, "%"))
