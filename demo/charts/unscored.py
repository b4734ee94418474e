"""Three patients who get no score, each for another reason: too little is known, no cancer, two cancers at once."""

from datetime import date

from demo.charts.chart import Chart, Lab, Resource
from demo.charts.codes import ICD10, VERIFICATION, coding, concept, loinc, quantity, snomed
from demo.charts.traps import FAMILY, RULED_OUT

_ROUTINE: tuple[Lab, ...] = (
    ("leukocytes", "6690-2", "Leukocytes", 7.2, "10*9/L"),
    ("hemoglobin", "718-7", "Hemoglobin", 14.1, "g/dL"),
    ("platelets", "777-3", "Platelets", 231.0, "10*9/L"),
    ("sodium", "2951-2", "Sodium", 139.0, "mmol/L"),
    ("potassium", "2823-3", "Potassium", 4.5, "mmol/L"),
    ("creatinine", "2160-0", "Creatinine", 1.1, "mg/dL"),
    ("albumin", "1751-7", "Albumin", 4.0, "g/dL"),
    ("alt", "1742-6", "Alanine aminotransferase", 27.0, "U/L"),
    ("crp", "1988-5", "C reactive protein", 4.0, "mg/L"),
)


def sparse(today: date) -> list[Resource]:
    """71-year-old man with a confirmed prostate cancer and one weight: too little for a score."""
    chart = Chart("demo-sparse", today)
    chart.patient("Sparse", "male", 71)
    chart.condition("tumour", concept(coding(ICD10, "C61"), snomed("399068003", "Malignant tumor of prostate")), 40)
    chart.body_size(12, 84.0)
    return chart.resources


def without_cancer(today: date) -> list[Resource]:
    """58-year-old woman with diabetes; a lung cancer was suspected and ruled out, her mother had breast cancer."""
    chart = Chart("demo-no-cancer", today)
    chart.patient("Healthy", "female", 58)
    diabetes = concept(coding(ICD10, "E11.9"), snomed("44054006", "Diabetes mellitus type 2"))
    chart.condition("diabetes", diabetes, 2600, "check-up")
    chart.condition("hypertension", concept(coding(ICD10, "I10")), 3100, "check-up")
    refuted = concept(coding(VERIFICATION, "refuted"))
    suspicion = concept(coding(ICD10, "C34.9"), text=RULED_OUT)
    chart.condition("suspicion", suspicion, 120, "check-up", verificationStatus=refuted, clinicalStatus=None)
    chart.condition("prose", {"text": RULED_OUT}, 120)
    chart.condition("family", concept(coding(ICD10, "Z80.3"), text=FAMILY), 900)
    chart.condition("skin", concept(coding(ICD10, "D22.5")), 500)  # a benign naevus
    chart.encounter("check-up", 9, ["diabetes", "hypertension"])
    chart.labs(chart.moment(9, "08:20"), _ROUTINE)
    hba1c = concept(loinc("4548-4", "Hemoglobin A1c"))
    chart.observation("hba1c", hba1c, chart.moment(9, "08:20"), valueQuantity=quantity(6.9, "%"))
    chart.vital_signs(4, pressure=(142, 86), pulse=74, breaths=14, saturation=98, celsius=36.6)
    chart.body_size(4, 81.0, centimetres=167)
    return chart.resources


def two_primaries(today: date) -> list[Resource]:
    """74-year-old man with an active prostate cancer and an active sigmoid cancer, and enough else for a score."""
    chart = Chart("demo-two-primaries", today)
    chart.patient("Twice", "male", 74)
    prostate = concept(coding(ICD10, "C61"), snomed("399068003", "Malignant tumor of prostate"))
    chart.condition("prostate", prostate, 700, "clinic")
    colon = concept(coding(ICD10, "C18.7"), snomed("93761005", "Primary malignant neoplasm of colon"))
    chart.condition("colon", colon, 33, "clinic")
    chart.encounter("clinic", 6, ["prostate", "colon"])
    chart.labs(chart.moment(6, "08:05"), _ROUTINE)
    for name, code, value, unit in (("psa", "2857-1", 7.9, "ng/mL"), ("cea", "2039-6", 9.3, "ng/mL")):
        chart.observation(name, concept(loinc(code)), chart.moment(6, "08:05"), valueQuantity=quantity(value, unit))
    chart.vital_signs(6, pressure=(135, 79), pulse=71, breaths=15, saturation=96, celsius=36.4)
    chart.body_size(6, 79.5, centimetres=174)
    return chart.resources
