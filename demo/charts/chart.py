"""One patient's chart in the making: ids, dates and references, so that the charts say only what is clinical."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.encounter import Encounter
from fhir.resources.R4B.imagingstudy import ImagingStudy
from fhir.resources.R4B.medicationadministration import MedicationAdministration
from fhir.resources.R4B.medicationstatement import MedicationStatement
from fhir.resources.R4B.molecularsequence import MolecularSequence
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.procedure import Procedure

from demo.charts.codes import (
    ACT,
    CATEGORY,
    CLINICAL,
    CONDITION_CATEGORY,
    VERIFICATION,
    Element,
    coding,
    concept,
    loinc,
    quantity,
    snomed,
)

Resource = dict[str, Any]

# R4B is equal to R4 in all of these; fhir.resources has no R4.
_MODELS = {
    model.__name__: model
    for model in (
        Condition,
        Encounter,
        ImagingStudy,
        MedicationAdministration,
        MedicationStatement,
        MolecularSequence,
        Observation,
        Patient,
        Procedure,
    )
}
_DAYS_A_YEAR = 365.25

# A laboratory value: name within the chart, LOINC code, its name, value, unit.
Lab = tuple[str, str, str, float, str]


class Chart:
    """Resources of one patient. Days are counted back from `today`; `zone` is the hospital's offset."""

    def __init__(self, patient_id: str, today: date, zone: str = "+01:00") -> None:
        self.patient_id = patient_id
        self.resources: list[Resource] = []
        self._today = today
        self._zone = zone

    def put(self, kind: str, name: str, /, **elements: Any) -> None:
        """Add a resource named within this chart; empty elements are left out. Raises where it is no valid FHIR R4B."""
        given = {key: value for key, value in elements.items() if value not in (None, [], {}, "")}
        model = _MODELS[kind].model_validate({"resourceType": kind, "id": self._id(name), **given})
        self.resources.append(model.model_dump(mode="json", exclude_none=True))

    def reference(self, kind: str, name: str) -> Element:
        return {"reference": f"{kind}/{self._id(name)}"}

    def day(self, ago: float) -> str:
        return (self._today - timedelta(days=ago)).isoformat()

    def moment(self, ago: int, clock: str) -> str:
        return f"{self.day(ago)}T{clock}:00{self._zone}"

    @property
    def subject(self) -> Element:
        return {"reference": f"Patient/{self.patient_id}"}

    def patient(self, given: str, gender: str, age: int, **more: Any) -> None:
        """An invented patient, in the middle of a year of life; the family name says so."""
        born = self.day(round((age + 0.5) * _DAYS_A_YEAR))
        self.put("Patient", "", name=[{"family": "Demo", "given": [given]}], gender=gender, birthDate=born, **more)

    def condition(self, name: str, code: Element, since: float, encounter: str = "", **more: Any) -> None:
        """A confirmed, active problem unless `more` says otherwise; recorded on the day it began."""
        elements: Element = {
            "clinicalStatus": concept(coding(CLINICAL, "active")),
            "verificationStatus": concept(coding(VERIFICATION, "confirmed")),
            "category": [concept(coding(CONDITION_CATEGORY, "problem-list-item"))],
            "code": code,
            "subject": self.subject,
            "encounter": self.reference("Encounter", encounter) if encounter else None,
            "onsetDateTime": self.day(since),
            "recordedDate": self.day(since),
        }
        self.put("Condition", name, **{**elements, **more})

    def encounter(self, name: str, ago: int, diagnoses: Sequence[str], *, days: int = 0, kind: str = "AMB") -> None:
        """A finished contact that began `ago` days before today; a stay ends `days` later."""
        end = self.moment(ago - days, "15:30")
        self.put(
            "Encounter",
            name,
            status="finished",
            class_fhir=coding(ACT, kind),
            subject=self.subject,
            period={"start": self.moment(ago, "07:45"), "end": end},
            diagnosis=[{"condition": self.reference("Condition", diagnosis)} for diagnosis in diagnoses],
        )

    def observation(self, name: str, code: Element, when: str, kind: str = "laboratory", **more: Any) -> None:
        """A final result of the category `kind`, unless `more` says otherwise."""
        elements: Element = {
            "status": "final",
            "category": [concept(coding(CATEGORY, kind))],
            "code": code,
            "subject": self.subject,
            "effectiveDateTime": when,
        }
        self.put("Observation", name, **{**elements, **more})

    def labs(self, when: str, values: Iterable[Lab], suffix: str = "", **more: Any) -> None:
        """One sample; `suffix` tells it from the chart's other samples."""
        for name, code, display, value, unit in values:
            shown = concept(loinc(code, display))
            self.observation(name + suffix, shown, when, valueQuantity=quantity(value, unit), **more)

    def body_size(self, ago: int, kilograms: float, centimetres: float | None = None, suffix: str = "") -> None:
        when = self.moment(ago, "09:05")
        weight = concept(loinc("29463-7", "Body weight"), snomed("27113001", "Body weight"))
        self.observation(f"weight{suffix}", weight, when, "vital-signs", valueQuantity=quantity(kilograms, "kg"))
        if centimetres is not None:
            height = concept(loinc("8302-2", "Body height"), snomed("1153637007", "Body height"))
            self.observation(f"height{suffix}", height, when, "vital-signs", valueQuantity=quantity(centimetres, "cm"))

    def vital_signs(
        self, ago: int, *, pressure: tuple[int, int], pulse: int, breaths: int, saturation: int, celsius: float
    ) -> None:
        """One set, taken within a quarter of an hour, coded twice as US Core and the German core data set both do."""
        when = self.moment(ago, "09:10")
        systolic, diastolic = pressure
        self.observation(
            "blood-pressure",
            concept(loinc("85354-9", "Blood pressure panel"), snomed("75367002", "Blood pressure")),
            when,
            "vital-signs",
            component=[
                _part(loinc("8480-6", "Systolic blood pressure"), snomed("271649006"), quantity(systolic, "mm[Hg]")),
                _part(loinc("8462-4", "Diastolic blood pressure"), snomed("271650006"), quantity(diastolic, "mm[Hg]")),
            ],
        )
        singles = (
            ("pulse", (loinc("8867-4", "Heart rate"), snomed("364075005", "Heart rate")), quantity(pulse, "/min")),
            ("breaths", (loinc("9279-1", "Respiratory rate"), snomed("86290005")), quantity(breaths, "/min")),
            ("saturation", (loinc("2708-6"), loinc("59408-5", "Oxygen saturation")), quantity(saturation, "%")),
            ("temperature", (loinc("8310-5", "Body temperature"),), quantity(celsius, "°C", "Cel")),
        )
        for name, codings, value in singles:
            self.observation(name, concept(*codings), when, "vital-signs", valueQuantity=value)

    def _id(self, name: str) -> str:
        return f"{self.patient_id}-{name}" if name else self.patient_id


def _part(first: Element, second: Element, value: Element) -> Element:
    return {"code": concept(first, second), "valueQuantity": value}
