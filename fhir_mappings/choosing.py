"""Which of several findings stands for a parameter: windows, conflicts, "any time" against "latest"."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from fhir_mappings.finding import Finding, Issue
from fhir_mappings.timing import days_between, in_order
from fhir_mappings.windows import Windows, is_of_a_set
from models.features import Feature

# Initial staging: from 30 days before to 120 days after diagnosis, what was available at the assessment.
_STAGING_FROM, _STAGING_TO = -30.0, 120.0
_M0_DAYS = 90.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SAME_DAY_DIFFERENCE = 0.2
# Missing rules by which an older finding may stand for the parameter: the first M1, the initial stage, a past disease.
_WHOLE_COURSE = frozenset(
    {"initial_staging", "m0_or_statement", "m0_or_site_list", "documented_problems", "documented_acute"}
)

# What the tissue of a metastasis may show otherwise than that of the primary.
MARKERS = ("path_er", "path_pr", "path_her2", "path_ki67", "path_pdl1_tps", "path_pdl1_cps", "path_p16_hpv", "path_ebv")
METASTASIS_RANK = 100  # added to the rank of a finding of metastatic tissue


class Choice(msgspec.Struct, frozen=True, gc=False):
    """The finding that stands for the parameter, and all that speak of it in the order of their age."""

    finding: Finding | None = None
    history: tuple[Finding, ...] = ()
    issues: tuple[Issue, ...] = ()


def choose(feature: Feature, findings: Sequence[Finding], windows: Windows, diagnosed: datetime | None) -> Choice:
    """One of the `findings` (at least one) for one parameter by its window, missing rule and aggregation.

    `diagnosed` is the date of the index tumour (initial staging counts from it). In an emergency what was found since
    the arrival stands before what is older, and of the vital signs the first set (`_first_set`).
    """
    history = (findings[0],) if len(findings) == 1 else tuple(sorted(findings, key=_age_then_rank))
    if feature.missing_rule in _WHOLE_COURSE:
        return _of_whole_course(feature, history, windows, diagnosed)
    limit, at = windows.days(feature), windows.at
    usable: Sequence[Finding] = history
    if limit is not None:
        usable = [f for f in history if f.effective and days_between(f.effective, at) <= limit]
    if not usable:
        return Choice(history=history)
    if len(usable) == 1:
        return Choice(windows.marked(usable[0], feature), history)
    finding = _best(feature, windows)(usable)
    changes = windows.is_emergency and is_of_a_set(feature)  # a pulse that falls contradicts nothing
    issues = () if changes else _conflicts(feature, finding, usable)
    return Choice(windows.marked(finding, feature), history, issues)


def _of_whole_course(
    feature: Feature, history: tuple[Finding, ...], windows: Windows, diagnosed: datetime | None
) -> Choice:
    if feature.missing_rule == "initial_staging":
        usable = [f for f in history if _is_initial(f, diagnosed)]
        return _choice(usable, history, _best_staging)
    if feature.missing_rule in {"m0_or_statement", "m0_or_site_list"}:
        usable = [f for f in history if f.value == 1 or windows.age(f) <= _M0_DAYS]
        return _choice(usable, history, _positive_first)
    return _choice(history, history, _newest)


def _best(feature: Feature, windows: Windows) -> Callable[[Sequence[Finding]], Finding]:
    if feature.key in _BEST:
        return _BEST[feature.key]
    if feature.modality == "laboratory":
        return partial(_of_the_laboratory, windows) if windows.is_emergency else _central_first
    return partial(_first_set, windows) if windows.takes_first_set and is_of_a_set(feature) else _newest


def newest_decides(feature: Feature) -> bool:
    """Whether `choose` never prefers an older finding to a newer one, whatever their values."""
    return feature.missing_rule not in _WHOLE_COURSE and feature.key not in _BEST


def choose_part(findings: Sequence[Finding], windows: Windows, of: Feature | None) -> Choice:
    """The newest of a part that is no parameter itself; the formula that uses it (for `of`) has the window.

    Of a vital sign it is the part of the same set that stands for the whole.
    """
    history = tuple(sorted(findings, key=_age_then_rank))
    if of is None or not (windows.takes_first_set and is_of_a_set(of)):
        return _choice(history, history, _newest)
    usable = [f for f in history if windows.hold(f, of)] or history
    return _choice(usable, history, partial(_first_set, windows))


def _choice(
    usable: Sequence[Finding], history: tuple[Finding, ...], best: Callable[[Sequence[Finding]], Finding]
) -> Choice:
    return Choice(best(usable) if usable else None, history)


def _moment(finding: Finding) -> datetime:
    return in_order(finding.effective) if finding.effective else _LONG_AGO


def _age_then_rank(finding: Finding) -> tuple[datetime, int, float, tuple[str, ...]]:
    """The later is the greater; of the same moment the higher rank, of equals the higher value."""
    when = finding.effective
    return in_order(when) if when else _LONG_AGO, finding.rank, finding.value, finding.sources


def _newest(findings: Sequence[Finding]) -> Finding:
    """The last, as they are in order of age, then rank."""
    return findings[-1]


def _first_set(windows: Windows, findings: Sequence[Finding]) -> Finding:
    """In the first hours of an emergency the first since the arrival; without one the newest.

    Never the worst. The first set is that of the patient as he came, before treatment changed it.
    """
    present = [f for f in findings if not windows.is_before_arrival(f)]
    if not present:
        return _newest(findings)
    first = min(_moment(f) for f in present)
    return _newest([f for f in present if _moment(f) == first])


def _of_the_laboratory(windows: Windows, findings: Sequence[Finding]) -> Finding:
    return _central_first(windows.since_arrival(findings))


def _best_staging(findings: Sequence[Finding]) -> Finding:
    """Pathological before clinical, then the latest."""
    return max(findings, key=lambda f: (f.rank // 10, _age_then_rank(f)))


def _worst_of_newest_day(findings: Sequence[Finding]) -> Finding:
    """Performance status: the worse of two grades of one day."""
    newest = _newest(findings)
    same_day = [f for f in findings if _of_one_day(f, newest)]
    return max(same_day or [newest], key=lambda f: (f.value, _age_then_rank(f)))


def _central_first(findings: Sequence[Finding]) -> Finding:
    """Of the newest day what the central laboratory measured, before what was measured at the bedside."""
    newest = _newest(findings)
    if not _is_bedside(newest):
        return newest
    central = [f for f in findings if not _is_bedside(f) and _of_one_day(f, newest)]
    return _newest(central or [newest])


def _is_bedside(finding: Finding) -> bool:
    return finding.rank < 0


def _metastasis_first(findings: Sequence[Finding]) -> Finding:
    """A marker of a metastasis before one of the primary, then the latest tissue."""
    return max(findings, key=lambda f: (f.rank >= METASTASIS_RANK, _age_then_rank(f)))


def _once_a_smoker(findings: Sequence[Finding]) -> Finding:
    """Smoking: "never" after an earlier current or former counts as former."""
    newest = _newest(findings)
    smoked = [f for f in findings if f.value > 0]
    if newest.value > 0 or not smoked:
        return newest
    sources = (*newest.sources, *_newest(smoked).sources)
    return msgspec.structs.replace(newest, value=1.0, sources=sources, rule="never, after an earlier smoker")


_BEST: Mapping[str, Callable[[Sequence[Finding]], Finding]] = {
    "func_ecog": _worst_of_newest_day,
    "func_smoking_status": _once_a_smoker,
} | dict.fromkeys(MARKERS, _metastasis_first)


def _of_one_day(first: Finding, second: Finding) -> bool:
    return bool(first.effective and second.effective and first.effective.date() == second.effective.date())


def _positive_first(findings: Sequence[Finding]) -> Finding:
    """Metastasis once stated stays: M1 wins over M0, and its first statement counts."""
    positive = [f for f in findings if f.value == 1]
    if positive:
        return min(positive, key=lambda f: (f.effective is None, _moment(f), f.sources))
    return _newest(findings)


def _is_initial(finding: Finding, diagnosed: datetime | None) -> bool:
    if finding.effective is None or diagnosed is None:
        return True
    return _STAGING_FROM <= days_between(diagnosed, finding.effective) <= _STAGING_TO


def _conflicts(feature: Feature, chosen: Finding, usable: Sequence[Finding]) -> tuple[Issue, ...]:
    """A second value of the same day and kind that differs by more than a fifth: the later stands, and it is said."""
    if chosen.effective is None or feature.kind != "continuous":
        return ()
    day, is_bedside = chosen.effective.date(), _is_bedside(chosen)
    for other in usable:
        if other is chosen or other.effective is None or other.effective.date() != day:
            continue
        if _is_bedside(other) is not is_bedside:
            continue
        if other.original is None and chosen.original is not None:
            continue  # "positive" beside a percentage is no second number
        if abs(other.value - chosen.value) > _SAME_DAY_DIFFERENCE * max(abs(other.value), abs(chosen.value)):
            text = f"{feature.key}: two values of one day differ by more than 20 %"
            return (Issue("information", "same-day-conflict", text, other.sources[0]),)
    return ()
