"""All settings of a package: each trained on its own cohorts, then given the terms that others can lend."""

from collections.abc import Callable, Mapping

import msgspec
import numpy as np

from models.features import FeatureSchema
from models.training.borrowed_check import check_borrowing, that_carry_over
from models.training.borrowing import BLOCKS, BORROWERS, STABLE, BorrowedTerms, borrow, with_borrowed
from models.training.cohort import Cohort, join_cohorts
from models.training.comparators import with_terms
from models.training.evaluation import BOOTSTRAPS, evaluation_of
from models.training.evaluation_report import BorrowedCheck, Evaluation
from models.training.fits import Fit
from models.training.network_training import Progress, Recipe, train_network
from models.training.packaging import TrainedSetting
from models.training.predictions import Predictions, by_fitted
from models.training.training import TrainedAndJudged, train_setting

Checks = Mapping[str, Mapping[str, BorrowedCheck]]


def train_package(
    cohort: Cohort,
    lending: Cohort | None,
    schema: FeatureSchema,
    recipe: Recipe,
    progress: Callable[[str], Progress],
    bootstraps: int = BOOTSTRAPS,
    fit: Fit = train_network,
) -> tuple[list[TrainedSetting], Evaluation]:
    """One network per setting of `cohort`. `lending` are patients who only lend terms (and are no training patients).

    `progress` makes the voice of a setting. Raises ValueError where nobody died or nothing can be trained, or where
    acute patients are to lend: their values mean something else.
    """
    if lending is not None and not np.isin(lending.setting, STABLE).all():
        raise ValueError(f"patients of the settings {', '.join(STABLE)} can lend terms, acute ones cannot")
    keys = sorted(set(cohort.setting.tolist()))
    judged = {
        key: train_setting(key, cohort.rows(cohort.setting == key), schema, recipe, progress(key), bootstraps, fit)
        for key in keys
    }
    settings, checks = [], {}
    for key, trained in judged.items():
        lenders = _lenders(key, cohort, lending)
        if key not in BORROWERS or lenders is None:
            settings.append(trained.setting)
            continue
        progress(key)("borrowed terms")
        terms = borrow(frozenset(trained.setting.network.inputs.parameters), lenders, schema, recipe.seed)
        checks[key] = _checks(trained, judged, lenders, lending, schema, recipe.seed)
        settings.append(_lent(trained.setting, terms, checks[key], schema))
    evaluations = {key: trained.evaluations for key, trained in judged.items()}
    gamma = {key: trained.gamma for key, trained in judged.items()}
    return settings, evaluation_of(evaluations, bootstraps, recipe.seed, checks, gamma)


def _lenders(key: str, cohort: Cohort, lending: Cohort | None) -> Cohort | None:
    """Patients of the other stable settings, and those who only lend."""
    others = cohort.rows(np.isin(cohort.setting, [setting for setting in STABLE if setting != key]))
    found = [part for part in (others, lending) if part is not None and len(part)]
    return join_cohorts(found) if found else None


def _checks(
    trained: TrainedAndJudged,
    judged: Mapping[str, TrainedAndJudged],
    lenders: Cohort,
    lending: Cohort | None,
    schema: FeatureSchema,
    seed: int,
) -> dict[str, dict[str, BorrowedCheck]]:
    """Each block, hidden in the cohorts of the borrowers and in those who only lend."""
    known: list[Predictions] = [judged[key].predictions for key in BORROWERS if key in judged]
    if lending is not None:
        known.append(by_fitted(trained.setting.network, trained.setting.comparators, lending, schema))
    found = {block: check_borrowing(block, lenders, known, schema, seed) for block in BLOCKS}
    return {block: checks for block, checks in found.items() if checks}


def _lent(
    setting: TrainedSetting, terms: BorrowedTerms | None, checks: Checks, schema: FeatureSchema
) -> TrainedSetting:
    """The setting with the terms whose block carries over."""
    good = that_carry_over(terms, checks, schema) if terms else None
    if good is None or not good.keys:
        return setting
    manifest = setting.setting
    return TrainedSetting(
        setting.key,
        with_borrowed(setting.network, good),
        msgspec.structs.replace(manifest, trained=manifest.trained | good.described(schema), borrowed=good.typical()),
        with_terms(setting.comparators, good),
    )
