"""Lung: known metastatic, in the emergency department for two hours with fever and breathlessness; the stay is open.

As an emergency system writes it: Fahrenheit, oxygen beside the saturation, ACVPU, a blood gas, and a second set of
vital signs after oxygen was given. Of the laboratory some values are of now, some of a visit of last week.
"""

from datetime import datetime, timedelta

from demo.charts.chart import Chart, Lab, Resource
from demo.charts.codes import (
    ACT,
    AJCC,
    ICD10_CM,
    ICD_O_3,
    PARAMETER,
    Element,
    coding,
    concept,
    loinc,
    quantity,
    snomed,
)

_FOUND, _SEEN = 210, 5  # days before today
_ARRIVED, _FIRST_SET, _SAMPLED, _SECOND_SET = 120, 110, 95, 30  # minutes before the moment of the chart

_NOW: tuple[Lab, ...] = (
    ("leukocytes", "6690-2", "Leukocytes", 15.2, "10*9/L"),
    ("hemoglobin", "718-7", "Hemoglobin", 9.9, "g/dL"),
    ("platelets", "777-3", "Platelets", 512.0, "10*9/L"),
    ("neutrophils", "751-8", "Neutrophils", 12.9, "10*9/L"),
    ("lymphocytes", "731-0", "Lymphocytes", 0.7, "10*9/L"),
    ("sodium", "2951-2", "Sodium", 129.0, "mmol/L"),
    ("potassium", "2823-3", "Potassium", 4.9, "mmol/L"),
    ("creatinine", "2160-0", "Creatinine", 1.6, "mg/dL"),
    ("urea", "3094-0", "Urea nitrogen", 38.0, "mg/dL"),
    ("glucose", "2345-7", "Glucose", 168.0, "mg/dL"),
    ("bilirubin", "1975-2", "Bilirubin, total", 1.4, "mg/dL"),
    ("crp", "1988-5", "C reactive protein", 186.0, "mg/L"),
)
_GAS: tuple[Lab, ...] = (
    ("lactate", "2518-9", "Lactate, arterial", 3.1, "mmol/L"),
    ("ph", "2744-1", "pH, arterial", 7.33, "[pH]"),
    ("po2", "2703-7", "Oxygen, arterial", 62.0, "mm[Hg]"),
    ("fio2", "19994-3", "Inspired oxygen fraction", 28.0, "%"),
)
_LAST_WEEK: tuple[Lab, ...] = (
    ("albumin", "1751-7", "Albumin", 2.7, "g/dL"),
    ("ldh", "2532-0", "Lactate dehydrogenase", 410.0, "U/L"),
    ("alp", "6768-6", "Alkaline phosphatase", 240.0, "U/L"),
    ("hemoglobin", "718-7", "Hemoglobin", 10.6, "g/dL"),
    ("creatinine", "2160-0", "Creatinine", 0.9, "mg/dL"),
)


def emergency(now: datetime) -> list[Resource]:
    """67-year-old woman: adenocarcinoma of the lung with liver metastases, COPD, ECOG 2; arrived two hours ago."""
    chart = Chart("demo-emergency", now.date(), zone="+00:00")
    chart.patient("Urgent", "female", 67)
    _problems(chart)
    _stay(chart, now)
    first, then = _ago(now, _FIRST_SET), _ago(now, _SECOND_SET)
    _vital_signs(
        chart, first, "first", pressure=(94, 58), pulse=122, breaths=28, saturation=88, fahrenheit=101.8, litres=0,
        answer=("LA6560-2", "Confused"),
    )  # fmt: skip
    _vital_signs(
        chart, then, "second", pressure=(101, 60), pulse=114, breaths=25, saturation=93, fahrenheit=101.5, litres=4,
        answer=("LA9340-6", "Alert"),
    )  # fmt: skip
    chart.labs(_ago(now, _SAMPLED), _NOW)
    chart.labs(_ago(now, _SAMPLED), _GAS)
    chart.labs(chart.moment(_SEEN, "08:20"), _LAST_WEEK, suffix="-last-week")
    return chart.resources


def _ago(now: datetime, minutes: int) -> str:
    return (now - timedelta(minutes=minutes)).isoformat(timespec="seconds")


def _problems(chart: Chart) -> None:
    """All of the clinic, whose visit last week ended with coded diagnoses."""
    site = [concept(coding(ICD_O_3, "C34.1", "Upper lobe, lung"))]
    tumour = concept(coding(ICD10_CM, "C34.11"), snomed("254637007", "Non-small cell lung cancer"))
    chart.condition("tumour", tumour, _FOUND, "clinic", bodySite=site)
    liver = concept(coding(ICD10_CM, "C78.7"), snomed("94381002", "Metastatic malignant neoplasm to liver"))
    chart.condition("liver-metastasis", liver, _FOUND - 20, "clinic")
    chart.condition("copd", concept(coding(ICD10_CM, "J44.9"), snomed("13645005", "COPD")), 2900, "clinic")
    chart.encounter("clinic", _SEEN, ["tumour", "liver-metastasis", "copd"])
    about = [chart.reference("Condition", "tumour")]
    for name, code, display, category, ago in (
        ("stage", "21908-9", "Stage group.clinical", "IVB", _FOUND - 20),
        ("m", "21907-1", "Distant metastases.clinical", "cM1c", _FOUND - 20),
    ):
        answer = concept(coding(AJCC, category))
        chart.observation(name, concept(loinc(code, display)), chart.day(ago), focus=about, valueCodeableConcept=answer)
    cells = concept(coding(ICD_O_3, "8140/3", "Adenocarcinoma, NOS"))
    shape = concept(loinc("59847-4", "Histology and behavior ICD-O-3"))
    chart.observation("histology", shape, chart.day(_FOUND - 5), focus=about, valueCodeableConcept=cells)
    ambulatory = concept(loinc("LA9624-3", "Ambulatory and capable of all selfcare but unable to carry out any work"))
    ecog = concept(loinc("89247-1", "ECOG Performance Status"))
    chart.observation("ecog", ecog, chart.day(_SEEN), "survey", valueCodeableConcept=ambulatory)
    dependencies = concept(coding(PARAMETER, "func_adl_dependencies"))
    chart.observation("adl", dependencies, chart.day(_SEEN), "survey", valueInteger=1)
    chart.body_size(_SEEN, 61.0, centimetres=166)


def _stay(chart: Chart, now: datetime) -> None:
    """Open: no end, no diagnosis yet."""
    chart.put(
        "Encounter",
        "department",
        status="in-progress",
        class_fhir=coding(ACT, "EMER", "emergency"),
        subject=chart.subject,
        period={"start": _ago(now, _ARRIVED)},
    )


def _vital_signs(
    chart: Chart, when: str, name: str, *, pressure: tuple[int, int], pulse: int, breaths: int, saturation: int,
    fahrenheit: float, litres: float, answer: tuple[str, str],
) -> None:  # fmt: skip
    """One set; the flow of oxygen (0: air) is a component of the saturation, as US Core sends it."""
    systolic, diastolic = pressure
    parts = [
        {"code": concept(loinc("8480-6", "Systolic blood pressure")), "valueQuantity": quantity(systolic, "mm[Hg]")},
        {"code": concept(loinc("8462-4", "Diastolic blood pressure")), "valueQuantity": quantity(diastolic, "mm[Hg]")},
    ]
    panel = concept(loinc("85354-9", "Blood pressure panel"))
    chart.observation(f"pressure-{name}", panel, when, "vital-signs", component=parts)
    flow = {"code": concept(loinc("3151-8", "Inhaled oxygen flow rate")), "valueQuantity": quantity(litres, "L/min")}
    oximetry = concept(loinc("59408-5", "Oxygen saturation by pulse oximetry"), loinc("2708-6", "Oxygen saturation"))
    measured = quantity(saturation, "%")
    chart.observation(f"saturation-{name}", oximetry, when, "vital-signs", valueQuantity=measured, component=[flow])
    singles: tuple[tuple[str, Element, Element], ...] = (
        ("pulse", loinc("8867-4", "Heart rate"), quantity(pulse, "/min")),
        ("breaths", loinc("9279-1", "Respiratory rate"), quantity(breaths, "/min")),
        ("temperature", loinc("8310-5", "Body temperature"), quantity(fahrenheit, "°F", "[degF]")),
    )
    for kind, code, value in singles:
        chart.observation(f"{kind}-{name}", concept(code), when, "vital-signs", valueQuantity=value)
    responds = concept(loinc("67775-7", "Level of responsiveness"))
    said = concept(loinc(*answer))
    chart.observation(f"consciousness-{name}", responds, when, "vital-signs", valueCodeableConcept=said)
