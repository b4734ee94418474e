"""Collects one cohort patient by patient: range check by the catalogue, derived values, exclusions by reason."""

from collections import Counter
from collections.abc import Mapping

import msgspec
import numpy as np

from fhir_mappings import formulas
from fhir_mappings.absence import absent_with_m0
from fhir_mappings.cohorts.source_tables import Row
from fhir_mappings.units import units
from models.features import FeatureSchema
from models.training.cohort import HALF_A_DAY, Cohort
from models.training.race import NOT_STATED, Race

NO_OUTCOME = "no status or time"


class Patient(msgspec.Struct):
    """One row in the making. `values` holds what is known, in canonical units and within the catalogue's limits."""

    id: str
    stratum: str
    entity: str
    entry: float
    time: float
    event: bool
    race: Race | None = None
    values: dict[str, float] = msgspec.field(default_factory=dict)


class BuiltCohort(msgspec.Struct, frozen=True):
    """A cohort and what was left out on the way: patients by reason, values by parameter."""

    cohort: Cohort
    excluded: Mapping[str, int]


class CohortBuilder:
    """Rows of one cohort whose patients all belong to one setting."""

    def __init__(self, schema: FeatureSchema, name: str, setting: str) -> None:
        self.schema = schema
        self.name = name
        self.setting = setting
        self.patients: dict[str, Patient] = {}
        self.excluded: Counter[str] = Counter()
        self.out_of_range: Counter[str] = Counter()

    def add(
        self, patient_id: str, entity: str, time: float, event: bool, entry: float = 0.0, stratum: str = ""
    ) -> Patient:
        """A new patient. A time of 0 becomes half a day; a patient is at risk from `entry` on.

        `stratum` is the name of the cohort unless a group of patients needs a baseline hazard of its own.
        """
        patient = Patient(patient_id, stratum or self.name, entity, entry, time or HALF_A_DAY, event)
        self.patients[patient_id] = patient
        return patient

    def add_row(
        self, row: Row, id_column: str, entity: str, known: tuple[float, bool] | None, stratum: str = ""
    ) -> Patient | None:
        """A new patient from a row of the source; `known` is days and death (`columns.outcome`), or they are left out.

        Raises SourceError for an empty identifier and for a patient who stands twice.
        """
        patient_id = row[id_column].strip()
        if not patient_id:
            raise row.wrong(id_column, "is empty")
        if patient_id in self.patients:
            raise row.wrong(id_column, "stands twice")
        return self._add_known(patient_id, entity, known, stratum)

    def add_numbered_row(self, row: Row, entity: str, known: tuple[float, bool] | None) -> Patient | None:
        """The same for a table without identifiers: a patient is the number of the row, from 1."""
        return self._add_known(str(row.line - 1), entity, known, "")

    def _add_known(
        self, patient_id: str, entity: str, known: tuple[float, bool] | None, stratum: str
    ) -> Patient | None:
        if known is None:
            self.excluded[NO_OUTCOME] += 1
            return None
        return self.add(patient_id, entity, *known, stratum=stratum)

    def put(self, patient: Patient, key: str, value: float | None, unit: str | None = None) -> None:
        """Set a parameter; None is "not measured", and so is an implausible value, which is counted.

        `unit` is the source's spelling, converted by the table of units; None says that it is the canonical one.
        Raises KeyError for a unit that the table does not convert for this parameter.
        """
        if value is None:
            return
        feature = self.schema[key]
        if unit is not None:
            conversion = units().conversion(feature, unit)
            if conversion is None:
                raise KeyError(f"{unit} for {key}")
            value = conversion(value)
        if feature.plausible(value):
            patient.values[key] = float(value)
        else:
            self.out_of_range[key] += 1

    def fill(self, patient: Patient, key: str, value: float | None) -> None:
        """Set a parameter that no earlier table of the source gave."""
        if key not in patient.values:
            self.put(patient, key, value)

    def build(self) -> BuiltCohort:
        """Derive what has its parts, then lay the table out; patients in the order in which they came."""
        for patient in self.patients.values():
            self._derive(patient)
        rows = list(self.patients.values())
        cohort = Cohort(
            patient_id=np.array([patient.id for patient in rows]),
            cohort=np.array([patient.stratum for patient in rows]),
            setting=np.full(len(rows), self.setting),
            entity=np.array([patient.entity for patient in rows]),
            race=np.array([patient.race or NOT_STATED for patient in rows]),
            entry=np.array([patient.entry for patient in rows]),
            time=np.array([patient.time for patient in rows]),
            event=np.array([patient.event for patient in rows]),
            values=np.stack([self._vector(patient) for patient in rows]),
            out_of_range=dict(self.out_of_range),
        )
        return BuiltCohort(cohort, dict(self.excluded))

    def _vector(self, patient: Patient) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        vector = np.full(len(self.schema), np.nan, dtype=np.float32)
        if patient.entity:
            vector[self.schema.entity_columns] = 0
            vector[self.schema.index[patient.entity]] = 1
        for key, value in patient.values.items():
            vector[self.schema.index[key]] = value
        return vector

    def _derive(self, patient: Patient) -> None:
        """What reading a record derives as well: one catalogue, two doors."""
        known = patient.values
        if known.get("stage_m1") == 0:
            for key in absent_with_m0(self.schema):
                self.fill(patient, key, 0.0)
        if {"vital_weight", "vital_height"} <= known.keys():
            self.put(patient, "vital_bmi", formulas.bmi(known["vital_weight"], known["vital_height"]))
        if {"vital_sbp", "vital_dbp"} <= known.keys():
            self.put(patient, "vital_map", formulas.mean_arterial_pressure(known["vital_sbp"], known["vital_dbp"]))
        if {"lab_creatinine", "demo_age_at_baseline", "demo_sex_female"} <= known.keys():
            age, female = known["demo_age_at_baseline"], known["demo_sex_female"] == 1
            rate = formulas.egfr_ckd_epi_2021(known["lab_creatinine"], age, female)
            self.put(patient, "lab_egfr_ckdepi", rate)
        if {"lab_bilirubin_total", "lab_albumin"} <= known.keys():
            self.put(patient, "ratio_albi", formulas.albi(known["lab_bilirubin_total"], known["lab_albumin"]))
        if {"lab_neutrophils_abs", "lab_lymphocytes_abs"} <= known.keys():
            ratio = formulas.nlr(known["lab_neutrophils_abs"], known["lab_lymphocytes_abs"])
            self.put(patient, "ratio_nlr", ratio)
        if {"lab_sodium", "lab_chloride", "lab_bicarbonate"} <= known.keys():
            gap = formulas.anion_gap(known["lab_sodium"], known["lab_chloride"], known["lab_bicarbonate"])
            self.put(patient, "ratio_anion_gap", gap)
