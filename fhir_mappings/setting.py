"""Where in the course of the disease the patient stands: which network may score, and from when its clock runs.

Rules of the clinical review, first match. This version has the network `diagnosis` only: a patient who is not newly
diagnosed is compared with newly diagnosed ones all the same (rule D), which is said and is relative only.
"""

from datetime import datetime
from typing import Literal

import msgspec

from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.timing import days_between

Rule = Literal["A", "B", "C", "D"]
Reason = Literal["newly-diagnosed", "date-unknown", "diagnosed-earlier", "progressed", "treated"]
_NEW_DAYS = 90.0


class Setting(msgspec.Struct, frozen=True):
    """`network` scores; `time_zero` is the start of its clock (None in D, where an absolute figure would be wrong)."""

    network: str
    rule: Rule
    time_zero: datetime | None
    reason: Reason


def choose_setting(encoded: EncodedPatient, at: datetime) -> Setting:
    """C at diagnosis, otherwise D.

    C: pathology (else the diagnosis) is at most 90 days old, nothing says that the tumour returned, and no treatment of
    a cancer began more than 90 days ago.
    """
    index = encoded.tumours.index
    began = (index.pathology or index.since) if index else None
    if began is None:
        return Setting("diagnosis", "D", None, "date-unknown")
    status = encoded.findings.get("stage_disease_status")
    metachronous = encoded.findings.get("stage_metachronous")
    if days_between(began, at) > _NEW_DAYS:
        return Setting("diagnosis", "D", None, "diagnosed-earlier")
    if (status and status.value == 3) or (metachronous and metachronous.value == 1):
        return Setting("diagnosis", "D", None, "progressed")
    if encoded.treated_since is not None and days_between(encoded.treated_since, at) > _NEW_DAYS:
        return Setting("diagnosis", "D", None, "treated")
    return Setting("diagnosis", "C", began, "newly-diagnosed")
