"""Do borrowed terms carry over? Where a block was measured, it is hidden, lent by others, and judged by the outcome."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.training.borrowing import BLOCKS, LABORATORY, BorrowedTerms, borrow, lending_block
from models.training.cohort import Cohort, join_cohorts
from models.training.concordance import harrell
from models.training.cox import RiskSets, coefficients
from models.training.evaluation_report import NETWORK, BorrowedCheck, Interval
from models.training.predictions import Predictions
from models.training.reference_groups import rounded

Array = NDArray[np.float64]

LEAST_OF_BLOCK = 3  # parameters of a block that a patient must have to be judged by: a picture, not a single marker
LEAST_PATIENTS, LEAST_DEATHS = 50, 20
LARGEST_SLOPE = 3.0
RESAMPLES = 200
POOLED = "all"


class Hidden(msgspec.Struct, frozen=True):
    """Patients who have a block: log-risk with it `hidden`, the terms `lent` for it, and log-risk with their `own`."""

    cohort: Cohort
    fold: NDArray[np.intp]
    hidden: Array
    lent: Array
    own: Array


def check_borrowing(
    block: str, lenders: Cohort, known: Sequence[Predictions], schema: FeatureSchema, seed: int = 0
) -> dict[str, BorrowedCheck]:
    """One check per cohort of `known` that measured the block, and one of all together.

    A cohort never lends to itself. The risk with the block hidden is out of fold where the cohort trained the network.
    """
    parts: dict[str, Hidden] = {}
    for predictions in known:
        for name in sorted(set(predictions.cohort.cohort.tolist())):
            part = _hidden(block, name, lenders, predictions, schema, seed)
            if part is not None:
                parts[name] = part
    checks = {name: _check(block, part, seed) for name, part in parts.items()}
    if len(parts) > 1:
        checks[POOLED] = _check(block, _joined(list(parts.values())), seed)
    return checks


def carries_over(checks: Mapping[str, BorrowedCheck]) -> bool:
    """Whether the slope over all checks is above 0 with its whole 95 % interval, and not above LARGEST_SLOPE.

    Without a check nothing is known. A slope of 50 says that the lenders hardly know the terms, not that these hold.
    """
    if not checks:
        return False
    overall = checks.get(POOLED) or next(iter(checks.values()))
    return overall.slope.low > 0 and overall.slope.value <= LARGEST_SLOPE


def that_carry_over(
    terms: BorrowedTerms, checks: Mapping[str, Mapping[str, BorrowedCheck]], schema: FeatureSchema
) -> BorrowedTerms:
    """The terms of the blocks that may be shipped."""
    good = {block for block in BLOCKS if carries_over(checks.get(block, {}))}
    return terms.only(tuple(key for key in terms.keys if lending_block(schema[key]) in good))


def _hidden(
    block: str, name: str, lenders: Cohort, predictions: Predictions, schema: FeatureSchema, seed: int
) -> Hidden | None:
    """The patients of the cohort `name` who have enough of the block; None if they are too few."""
    others = lenders.rows(lenders.cohort != name)
    elsewhere = frozenset(key for key in schema.keys if lending_block(schema[key]) != block)
    terms = borrow(elsewhere, others, schema, seed) if len(others) else None
    if terms is None:
        return None
    columns = [schema.index[key] for key in terms.keys]
    count = (~np.isnan(predictions.cohort.values[:, columns])).sum(axis=1)
    enough = count >= min(LEAST_OF_BLOCK, len(columns))
    rows = np.flatnonzero((predictions.cohort.cohort == name) & enough)
    cohort = predictions.cohort.rows(rows)
    if len(rows) < LEAST_PATIENTS or cohort.event.sum() < LEAST_DEATHS:
        return None
    lent, own = terms.log_risk(cohort.values, schema), predictions.risk[NETWORK][rows]
    return Hidden(cohort, predictions.fold[rows], _without(block, predictions)[rows], lent, own)


def _without(block: str, predictions: Predictions) -> Array:
    """The risk with the block hidden; where the network has no weights there, the risk itself."""
    risk = predictions.risk[NETWORK]
    blanked = predictions.blanked.get("laboratory" if block == LABORATORY else "function", risk)
    return np.where(np.isnan(blanked), risk, blanked)


def _joined(parts: Sequence[Hidden]) -> Hidden:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("hidden", "lent", "own")}
    cohort, fold = join_cohorts([part.cohort for part in parts]), np.concatenate([part.fold for part in parts])
    return Hidden(cohort, fold, **columns)


def _check(block: str, part: Hidden, seed: int) -> BorrowedCheck:
    cohort = part.cohort
    _, stratum = np.unique(np.char.add(cohort.cohort, part.fold.astype(str)), return_inverse=True)
    without, lent, own, gain = _discrimination(part, stratum, seed)
    return BorrowedCheck(
        block=block,
        patients=len(cohort),
        deaths=int(cohort.event.sum()),
        without=without,
        lent=lent,
        own=own,
        gain=gain,
        slope=_slope(part, stratum),
    )


def _slope(part: Hidden, stratum: NDArray[np.intp]) -> Interval:
    """Of the lent terms beside the hidden risk in one Cox model, with its Wald interval."""
    cohort = part.cohort
    sets = RiskSets(cohort.entry, cohort.time, cohort.event, stratum)
    beta, covariance = coefficients(np.column_stack([part.lent, part.hidden]), sets)
    half = 1.96 * np.sqrt(covariance[0, 0])
    return Interval(rounded(beta[0]), rounded(beta[0] - half), rounded(beta[0] + half))


def _discrimination(part: Hidden, stratum: NDArray[np.intp], seed: int) -> tuple[float, float, float, Interval]:
    """C without, with the lent terms and with own values, and the bootstrapped gain by lending."""
    random, n = np.random.default_rng(seed), len(part.cohort)
    samples = [np.arange(n), *(random.integers(0, n, n) for _ in range(RESAMPLES))]
    risks = part.hidden, part.hidden + part.lent, part.own
    scores = np.array([[_c(part.cohort, risk, stratum, rows) for risk in risks] for rows in samples])
    low, high = np.nanquantile(scores[1:, 1] - scores[1:, 0], [0.025, 0.975])
    without, lent, own = (rounded(score) for score in scores[0])
    return without, lent, own, Interval(rounded(lent - without), rounded(low), rounded(high))


def _c(cohort: Cohort, risk: Array, group: NDArray[np.intp], rows: NDArray[np.intp]) -> float:
    return harrell(risk[rows], cohort.time[rows], cohort.event[rows], cohort.entry[rows], group=group[rows])
