"""Where in the course of the disease the patient stands: which network may score, and from when its clock runs.

Rules of the clinical review, first match. In D the reference patients were seen at another point of their course, which
is said and is relative only.
"""

from collections import Counter
from datetime import date, datetime
from typing import Literal

import msgspec

from fhir_mappings.encoder import EncodedPatient
from fhir_mappings.timing import days_between
from models.manifest import ServingRule

Rule = Literal["A", "B", "C", "D"]
Reason = Literal[
    "unplanned", "newly-metastatic", "newly-sequenced", "newly-diagnosed", "metastatic", "long-ago", "date-unknown",
    "diagnosed-earlier", "progressed", "treated",
]  # fmt: skip
_AS_SHIPPED = ServingRule()


class Setting(msgspec.Struct, frozen=True):
    """`network` scores; `time_zero` is the start of its clock (None in D, where an absolute figure would be wrong)."""

    network: str
    rule: Rule
    time_zero: datetime | None
    reason: Reason


def choose_setting(
    encoded: EncodedPatient, at: datetime, rule: ServingRule = _AS_SHIPPED, *, emergency: bool = False
) -> Setting:
    """A in hospital unplanned, B newly metastatic or sequenced, C newly diagnosed, else D; `rule` is the package's.

    A call of the emergency service (`emergency`) is always A; its clock starts with the arrival, else with the call.
    C: pathology (else the diagnosis) is at most 90 days old, nothing says that the tumour returned, and no treatment of
    a cancer began more than 90 days ago.
    """
    if encoded.unplanned_since is not None:
        return Setting("acute", "A", encoded.unplanned_since, "unplanned")
    if emergency:
        return Setting("acute", "A", at, "unplanned")
    return _newly_metastatic(encoded, at, rule) or _by_diagnosis(encoded, at, rule)


def _is_metastatic(encoded: EncodedPatient) -> bool:
    stated = encoded.findings.get("stage_m1")
    return stated is not None and stated.value == 1


def _newly_metastatic(encoded: EncodedPatient, at: datetime, rule: ServingRule) -> Setting | None:
    """The clock of the metastatic network starts with the sequencing, where there is one, else with the metastasis."""
    spread = _spread(encoded)
    if _is_metastatic(encoded) and (sequenced := _newly_sequenced(encoded, at, rule)):
        return sequenced
    if spread is not None and days_between(spread, at) <= rule.new_days:
        return Setting("metastatic", "B", spread, "newly-metastatic")
    return None


def _newly_sequenced(encoded: EncodedPatient, at: datetime, rule: ServingRule) -> Setting | None:
    panel = _sequenced(encoded, rule.panel_genes)
    if panel is None or days_between(panel, at) > rule.new_days:
        return None
    return Setting("metastatic", "B", panel, "newly-sequenced")


def _by_diagnosis(encoded: EncodedPatient, at: datetime, rule: ServingRule) -> Setting:
    index = encoded.tumours.index
    began = (index.pathology or index.since) if index else None
    status = encoded.findings.get("stage_disease_status")
    metachronous = encoded.findings.get("stage_metachronous")
    if began is None:
        return _otherwise(encoded, at, rule, "date-unknown")
    if days_between(began, at) > rule.new_days:
        return _otherwise(encoded, at, rule, "diagnosed-earlier")
    if (status and status.value == 3) or (metachronous and metachronous.value == 1):
        return _otherwise(encoded, at, rule, "progressed")
    if encoded.treated_since is not None and days_between(encoded.treated_since, at) > rule.new_days:
        return _otherwise(encoded, at, rule, "treated")
    return Setting("diagnosis", "C", began, "newly-diagnosed")


def _otherwise(encoded: EncodedPatient, at: datetime, rule: ServingRule, reason: Reason) -> Setting:
    """B with a new panel (MSK-MET sequenced patients without metastasis too), else the stable network that is nearest.

    That is `metastatic` if metastasis was ever stated, `survivor` long after the diagnosis, else `diagnosis`. Who is
    newly diagnosed without metastasis stays in C, sequenced or not.
    """
    if sequenced := _newly_sequenced(encoded, at, rule):
        return sequenced
    index = encoded.tumours.index
    if _is_metastatic(encoded):
        return Setting("metastatic", "D", None, "metastatic")
    if index and index.since and days_between(index.since, at) > rule.survivor_days:
        return Setting("survivor", "D", None, "long-ago")
    return Setting("diagnosis", "D", None, reason)


def _spread(encoded: EncodedPatient) -> datetime | None:
    """When metastasis was first stated."""
    return encoded.findings["stage_m1"].effective if _is_metastatic(encoded) else None


def _sequenced(encoded: EncodedPatient, enough: int) -> datetime | None:
    """When a broad panel was reported: the newest day on which `enough` genes of the catalogue have a result."""
    moments = [f.effective for key, f in encoded.findings.items() if key.startswith("gene_") and f.effective]
    days: Counter[date] = Counter(moment.date() for moment in moments)
    broad = max((day for day, genes in days.items() if genes >= enough), default=None)
    return None if broad is None else min(moment for moment in moments if moment.date() == broad)
