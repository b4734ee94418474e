"""Parameters that are computed from others of the same patient: formulas, sums, changes over time."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from fhir_mappings import formulas
from fhir_mappings.finding import Finding
from fhir_mappings.timing import days_between, in_order, within
from fhir_mappings.windows import Windows, is_of_a_set
from models.features import FeatureSchema

ONE_SET = timedelta(minutes=30)  # vital signs of one set
ONE_SAMPLE = timedelta(hours=24)  # laboratory values that may be set against each other

Chosen = Mapping[str, Finding]  # the value chosen for each parameter or part
History = Mapping[str, Sequence[Finding]]  # every usable value, in time order


class Formula(msgspec.Struct, frozen=True):
    """`compute` takes the parts' values in order; None where the formula has no result."""

    key: str
    parts: tuple[str, ...]
    compute: Callable[..., float | None]
    rule: str
    within: timedelta | None = None
    prefers_reported: bool = False


def _sum(*values: float) -> float:
    return sum(values)


def _quotient(over: float, under: float) -> float | None:
    return over / under if under else None


def _percent_of(percent: float, leukocytes: float) -> float:
    return percent * leukocytes / 100


def _isup(primary: float, secondary: float) -> float | None:
    return formulas.isup_of_gleason(int(primary), int(secondary))


_COUNTS = ("lab_neutrophils_abs", "lab_lymphocytes_abs", "lab_monocytes_abs", "lab_eosinophils_abs")
_GCS = ("part/gcs_eyes", "part/gcs_verbal", "part/gcs_motor")
_GLEASON = ("part/gleason_primary", "part/gleason_secondary")
_GAP = ("lab_sodium", "lab_chloride", "lab_bicarbonate")
_EGFR = ("lab_creatinine", "demo_age_at_baseline", "demo_sex_female")

FORMULAS = (
    Formula("func_gcs", _GCS, _sum, "E + V + M", ONE_SET, prefers_reported=True),
    Formula("vital_bmi", ("vital_weight", "vital_height"), formulas.bmi, "kg / m2"),
    Formula(
        "vital_map",
        ("vital_sbp", "vital_dbp"),
        formulas.mean_arterial_pressure,
        "(SBP + 2 DBP) / 3",
        ONE_SET,
        prefers_reported=True,
    ),
    Formula(
        "lab_pf_ratio", ("part/po2_arterial", "part/fio2"), _quotient, "pO2 / FiO2", ONE_SET, prefers_reported=True
    ),
    Formula("path_gleason_isup", _GLEASON, _isup, "Gleason patterns", prefers_reported=True),
    *(
        Formula(
            key, (f"part/percent/{key}", "lab_wbc"), _percent_of, "% of leukocytes", ONE_SAMPLE, prefers_reported=True
        )
        for key in _COUNTS
    ),
    Formula("lab_egfr_ckdepi", _EGFR, formulas.egfr_ckd_epi_2021, "CKD-EPI 2021"),
    Formula("ratio_nlr", ("lab_neutrophils_abs", "lab_lymphocytes_abs"), formulas.nlr, "N / L", ONE_SAMPLE),
    Formula("ratio_albi", ("lab_bilirubin_total", "lab_albumin"), formulas.albi, "ALBI", ONE_SAMPLE),
    Formula("ratio_anion_gap", _GAP, formulas.anion_gap, "Na - Cl - HCO3", ONE_SAMPLE),
)

# The parameter that each part is for.
WHOLE: Mapping[str, str] = {part: formula.key for formula in FORMULAS for part in formula.parts if "/" in part}


def derived(formula: Formula, chosen: Chosen, schema: FeatureSchema, windows: Windows | None = None) -> Finding | None:
    """The computed parameter; None where a part is missing, the parts are too far apart, or a report is preferred.

    It is dated by its oldest part; a part that counts at any age (body height, sex) does not make it older. A reported
    value is preferred only where it is not older; in the hours in which the first vital signs since an arrival stand
    (`windows`), where it is of this contact, or the computed one is not either.
    """
    parts = [chosen[name] for name in formula.parts if name in chosen]
    if len(parts) < len(formula.parts) or not _together(parts, formula.within):
        return None
    value = formula.compute(*[part.value for part in parts])
    if value is None or not schema[formula.key].plausible(value):
        return None
    ageing = [part for part in parts if part.feature not in schema.index or schema[part.feature].window_days]
    when = min([part.effective for part in ageing or parts if part.effective], key=in_order, default=None)
    found = Finding(
        feature=formula.key,
        value=float(value),
        unit=schema[formula.key].unit,
        effective=when,
        sources=tuple(dict.fromkeys([source for part in parts for source in part.sources])),
        rule=formula.rule,
        flags=tuple(dict.fromkeys([flag for part in parts for flag in part.flags])),
    )
    reported = chosen.get(formula.key) if formula.prefers_reported else None
    return None if reported is not None and not _gives_way(reported, found, schema, windows) else found


def _gives_way(reported: Finding, computed: Finding, schema: FeatureSchema, windows: Windows | None) -> bool:
    if windows is not None and windows.takes_first_set and is_of_a_set(schema[computed.feature]):
        return windows.is_before_arrival(reported) and not windows.is_before_arrival(computed)
    return _is_newer(computed.effective, reported.effective)


def _is_newer(when: datetime | None, reported: datetime | None) -> bool:
    return when is not None and (reported is None or in_order(when) > in_order(reported))


def _together(parts: Sequence[Finding], span: timedelta | None) -> bool:
    if span is None:
        return True
    known = [part.effective for part in parts if part.effective is not None]
    return len(known) == len(parts) and within(span, known)


class Change(msgspec.Struct, frozen=True):
    """The latest value against an earlier one, `first` to `last` days before it, nearest to `nearest`."""

    key: str
    of: str
    first: float
    last: float
    nearest: float
    compute: Callable[[float, float], float | None]
    rule: str


def _difference(now: float, then: float) -> float:
    return now - then


def _percent_change(now: float, then: float) -> float | None:
    return 100 * (now / then - 1) if then else None


CHANGES = (
    Change("vital_weight_change_6mo", "vital_weight", 122, 243, 182, _percent_change, "against 4 to 8 months before"),
    Change("func_ecog_change_90d", "func_ecog", 30, 90, 60, _difference, "against about 60 days before"),
    Change("lab_albumin_change_90d", "lab_albumin", 30, 90, 60, _difference, "against about 60 days before"),
    Change("lab_hemoglobin_change_90d", "lab_hemoglobin", 30, 90, 60, _difference, "against about 60 days before"),
    Change(
        "lab_creatinine_change_90d",
        "lab_creatinine",
        30,
        90,
        0,
        _quotient,
        "against the lowest of 30 to 90 days before",
    ),
)


# Of these an earlier value counts beside the newest: so many days before it, first and last.
COMPARED: Mapping[str, tuple[float, float]] = {change.of: (change.first, change.last) for change in CHANGES}


def changed(change: Change, chosen: Chosen, history: History, schema: FeatureSchema) -> Finding | None:
    """The change of a parameter; None without a latest and an earlier dated value."""
    now = chosen.get(change.of)
    if now is None or now.effective is None:
        return None
    then = _earlier(change, now.effective, history.get(change.of, ()))
    value = change.compute(now.value, then.value) if then else None
    if then is None or value is None or not schema[change.key].plausible(value):
        return None
    return Finding(
        feature=change.key,
        value=value,
        unit=schema[change.key].unit,
        effective=now.effective,
        sources=tuple(dict.fromkeys((*now.sources, *then.sources))),
        rule=change.rule,
        flags=tuple(dict.fromkeys((*now.flags, *then.flags))),
    )


def _earlier(change: Change, now: datetime, values: Sequence[Finding]) -> Finding | None:
    """The value nearest to `change.nearest` days before (of equals the higher rank), or the lowest where that is 0."""
    aged = [(days_between(v.effective, now), v) for v in values if v.effective]
    fitting = [(age, v) for age, v in aged if change.first <= age <= change.last]
    if not fitting:
        return None
    if change.nearest:
        return min(fitting, key=lambda pair: (abs(pair[0] - change.nearest), -pair[1].rank, -pair[1].value))[1]
    return min(fitting, key=lambda pair: (pair[1].value, pair[1].sources))[1]
