"""The bedside readings of the last hours, for scores that are computed beside the network: the newest of each.

The network takes the first vital signs since the arrival, a score like NEWS2 the newest: it follows a patient, is taken
again with every set, and its answer is for now. Each reading has its own time; one measured again alone (a falling
saturation) counts at once, beside the others of the last six hours.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from fhir_mappings.derive import FORMULAS, derived
from fhir_mappings.finding import Finding
from fhir_mappings.readers.bedside import MUCOSITIS, OXYGEN, SCALE_2
from fhir_mappings.readers.parts import FIO2
from fhir_mappings.timing import days_between, in_order
from fhir_mappings.windows import VITAL_SIGNS_HOURS, Windows
from models.features import FeatureSchema

_ON_AIR = 0.21  # and what rounds to it
_MUCOSITIS_DAYS = 7.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_GCS = next(formula for formula in FORMULAS if formula.key == "func_gcs")

ByKey = Mapping[str, Sequence[Finding]]


class Bedside(msgspec.Struct, frozen=True):
    """Each in the unit of its parameter, with its time and source; None where nothing of the last six hours says it.

    `oxygen` is 1 on supplemental oxygen and 0 on air. `spo2_scale_2` is 1 where a clinician scored by the scale for
    hypercapnic failure since the arrival. `consciousness` is the newest of the coma score and ACVPU, as points of the
    coma score (15 alert). `gcs` is the coma score alone. `mucositis_grade` counts for 7 days.
    """

    respiratory_rate: Finding | None = None
    spo2: Finding | None = None
    spo2_scale_2: Finding | None = None
    oxygen: Finding | None = None
    systolic: Finding | None = None
    pulse: Finding | None = None
    consciousness: Finding | None = None
    temperature: Finding | None = None
    gcs: Finding | None = None
    mucositis_grade: Finding | None = None


def bedside_of(findings: ByKey, windows: Windows, schema: FeatureSchema) -> Bedside:
    """The newest readings among all findings of a record, by parameter, part or bedside name."""
    recent = _Recent(findings, windows)
    conscious = recent.of("func_gcs")
    total = [f for f in conscious if f.original is not None]
    summed = derived(_GCS, recent.parts(_GCS.parts), schema)
    gcs = _newest([*total, summed] if summed else total)
    return Bedside(
        respiratory_rate=recent.newest("vital_resp_rate"),
        spo2=recent.newest("vital_spo2"),
        spo2_scale_2=_scale_2(findings.get(SCALE_2, ()), windows),
        oxygen=_oxygen(recent),
        systolic=recent.newest("vital_sbp"),
        pulse=recent.newest("vital_heart_rate"),
        consciousness=_newest([*conscious, gcs] if gcs else conscious),
        temperature=recent.newest("vital_temperature"),
        gcs=gcs,
        mucositis_grade=_newest([f for f in findings.get(MUCOSITIS, ()) if windows.age(f) <= _MUCOSITIS_DAYS]),
    )


class _Recent:
    """The findings of the last six hours."""

    def __init__(self, findings: ByKey, windows: Windows) -> None:
        self._findings = findings
        self._windows = windows

    def of(self, key: str) -> list[Finding]:
        return [f for f in self._findings.get(key, ()) if 24 * self._windows.age(f) <= VITAL_SIGNS_HOURS]

    def newest(self, key: str) -> Finding | None:
        return _newest(self.of(key))

    def parts(self, names: Sequence[str]) -> dict[str, Finding]:
        found = {name: self.newest(name) for name in names}
        return {name: part for name, part in found.items() if part is not None}


def _oxygen(recent: _Recent) -> Finding | None:
    """As stated, by a flow, or by an inspired fraction; of the same moment "on oxygen" stands, which scores higher."""
    by_flow = [_as_oxygen(f, on_oxygen=f.value > 0) for f in recent.of("vital_oxygen_flow")]
    by_fraction = [_as_oxygen(f, on_oxygen=round(f.value, 2) > _ON_AIR) for f in recent.of(FIO2)]
    return max((*recent.of(OXYGEN), *by_flow, *by_fraction), key=_by_time_then_value, default=None)


def _as_oxygen(finding: Finding, *, on_oxygen: bool) -> Finding:
    return msgspec.structs.replace(finding, feature=OXYGEN, value=float(on_oxygen), unit="1")


def _by_time_then_value(finding: Finding) -> tuple[datetime, float, int, tuple[str, ...]]:
    return _moment(finding), finding.value, finding.rank, finding.sources


def _scale_2(findings: Sequence[Finding], windows: Windows) -> Finding | None:
    """Whoever set it did so for this contact: scale 2 of an earlier one would hide a saturation that is low now."""
    limit = VITAL_SIGNS_HOURS / 24
    if windows.arrival is not None:
        limit = max(limit, days_between(windows.arrival, windows.at))
    return _newest([f for f in findings if windows.age(f) <= limit])


def _newest(findings: Sequence[Finding]) -> Finding | None:
    """Of the same moment the higher rank (corrected, final, preliminary), then the lower value, then the name."""
    return max(findings, key=lambda f: (_moment(f), f.rank, -f.value, f.sources), default=None)


def _moment(finding: Finding) -> datetime:
    return in_order(finding.effective) if finding.effective else _LONG_AGO
