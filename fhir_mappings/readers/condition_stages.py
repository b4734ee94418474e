"""Condition.stage of the scored tumour -> stage group, T, N, M: the short form of what stage Observations say.

It has no date of its own. T, N and the group are those of the diagnosis; an M0 is as old as the diagnosis, an M1 may
have come later and stays undated. An Observation of the same stage is the fuller statement and ranks above.
"""

import math
from collections.abc import Iterable

from fhir_mappings.concepts import SNOMED, Catalogue, canonical
from fhir_mappings.finding import Finding, Issue, Reading
from fhir_mappings.readers.conditions import Diagnosis
from fhir_mappings.resources.datatypes import CodeableConcept
from fhir_mappings.resources.r4 import ConditionStage

_KEYS = ("stage_uicc_stage", "stage_t_category", "stage_n_category", "stage_m1")
_RANK_BY_TYPE = {"260998006": 2, "261023001": 20}  # clinical staging below any Observation, pathological staging


def read_condition_stages(diagnoses: Iterable[Diagnosis], source: Catalogue) -> Reading:
    """Findings of all stages of these diagnoses, and an issue for each that is not understood or states "unknown"."""
    reading = Reading()
    for diagnosis in diagnoses:
        for stage in diagnosis.condition.stage:
            _read(stage, diagnosis, source, reading)
    return reading


def _read(stage: ConditionStage, diagnosis: Diagnosis, source: Catalogue, reading: Reading) -> None:
    if stage.modifierExtension:
        text = "a stage with a modifierExtension that may change the meaning"
        reading.issues.append(Issue("warning", "modifier-unknown", text, diagnosis.address))
        return
    stated = {key: levels for key in _KEYS if (levels := _levels(key, stage.summary, source))}
    for key, levels in stated.items():
        known = {level for level in levels if not math.isnan(level)}
        if len(known) > 1:
            text = f"{key}: codings state different levels"
            reading.issues.append(Issue("warning", "coding-conflict", text, diagnosis.address))
        elif known:
            reading.findings.append(_finding(key, known.pop(), stage, diagnosis, source))
        else:
            text = f"{key}: recorded as unknown"
            reading.issues.append(Issue("information", "stated-unknown", text, diagnosis.address))
    if not stated and (stage.summary.coding or stage.summary.text):
        text = "Condition.stage is not a known answer"
        reading.issues.append(Issue("warning", "answer-unknown", text, diagnosis.address))


def _levels(key: str, summary: CodeableConcept, source: Catalogue) -> list[float]:
    """What the codings, or without one the text, state for a parameter."""
    written = [(coding.system, coding.code) for coding in summary.coding] or [("", summary.text.strip())]
    return [level for system, code in written if (level := source.level(key, system, code)) is not None]


def _finding(key: str, level: float, stage: ConditionStage, diagnosis: Diagnosis, source: Catalogue) -> Finding:
    types = [coding.code for coding in stage.type_.coding if canonical(coding.system) == SNOMED]
    is_metastatic = key == "stage_m1" and level == 1
    return Finding(
        key,
        level,
        source.schema[key].unit,
        None if is_metastatic else diagnosis.since,
        (diagnosis.address,),
        "Condition.stage",
        max((_RANK_BY_TYPE.get(code, 0) for code in types), default=0),
    )
