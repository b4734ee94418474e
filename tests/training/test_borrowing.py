"""Borrowed terms: learned in one cohort, centred, linear, checked by hiding, shipped only where they carry over."""

import msgspec
import numpy as np
import pytest

from models.training.borrowed_check import carries_over, check_borrowing, that_carry_over
from models.training.borrowing import BorrowedTerms, borrow, lending_block, with_borrowed
from models.training.cohort import Cohort, join_cohorts
from models.training.evaluation_report import BorrowedCheck, Interval
from models.training.network_training import Recipe
from models.training.package_training import train_package
from models.training.predictions import Predictions
from tests.unit.models.made_up import cohort, inputs, network, schema

CATALOGUE = schema()
LINEAR = Recipe(members=2, first_units=4, second_units=2, longest=0)
ALBUMIN = CATALOGUE.index["lab_albumin"]


def silent(_: str) -> None:
    pass


def with_albumin(name: str, setting: str, seed: int, slope: float = -0.8) -> Cohort:
    """A cohort in which albumin says who dies early, by `slope` per g/dL."""
    made, random = cohort(500, seed), np.random.default_rng(seed + 100)
    albumin = random.normal(3.8, 0.6, 500).clip(1.5, 5.5)
    values = made.values.copy()
    values[:, ALBUMIN] = albumin
    death = random.exponential(900 * np.exp(-slope * (albumin - 3.8)))
    return msgspec.structs.replace(
        made,
        cohort=np.full(500, name),
        setting=np.full(500, setting),
        values=values,
        time=np.minimum(death, 1500).round() + 1,
        event=death < 1500,
    )


def scored_by_age(made: Cohort) -> Predictions:
    """What a network says that knows age alone."""
    age = np.nan_to_num(made.values[:, CATALOGUE.index["demo_age_at_baseline"]].astype(float), nan=60)
    return Predictions(made, np.full(len(made), -1), {"network": 0.03 * age}, {}, {}, {}, {})


@pytest.fixture(scope="module")
def terms() -> BorrowedTerms:
    lenders = with_albumin("lender", "survivor", 1)
    found = borrow(frozenset(CATALOGUE.keys) - {"lab_albumin"}, lenders, CATALOGUE)
    assert found is not None
    return found


def test_what_can_be_lent() -> None:
    """Laboratory values, vital signs and performance status; nothing of genetics, stage, imaging or therapy."""
    blocks = {feature.key: lending_block(feature) for feature in CATALOGUE.features}
    assert blocks["lab_albumin"] == "laboratory"
    assert blocks["vital_sbp"] == "vitals"
    assert blocks["func_ecog"] == "performance"
    lent = {key.split("_")[0] for key, block in blocks.items() if block}
    assert lent <= {"lab", "ratio", "vital", "func"}
    assert blocks["stage_m1"] is blocks["func_smoking_status"] is blocks["gene_kras"] is None


def test_only_what_is_lacking_is_borrowed(terms: BorrowedTerms) -> None:
    """A parameter with weights of its own is not borrowed, however good the lenders are; what is left is named."""
    assert terms.keys == ("lab_albumin",)
    lenders = terms.lenders.cohort
    assert borrow(frozenset(CATALOGUE.keys), lenders, CATALOGUE) is None
    assert terms.described(CATALOGUE)["lab_albumin"].borrowed_from == ("lender",)


def test_a_term_is_centred_and_linear(terms: BorrowedTerms) -> None:
    """Its mean over the lenders is 0, a missing value adds nothing, low albumin raises the risk."""
    values = terms.lenders.cohort.values
    assert terms.log_risk(values, CATALOGUE).mean() == pytest.approx(0, abs=1e-9)
    nobody = np.full((1, len(CATALOGUE)), np.nan, dtype=np.float32)
    assert terms.log_risk(nobody, CATALOGUE) == 0
    low, mean, high = (nobody.copy() for _ in range(3))
    low[0, ALBUMIN], mean[0, ALBUMIN], high[0, ALBUMIN] = 3.3, 3.8, 4.3
    at_low, at_mean, at_high = (float(terms.log_risk(rows, CATALOGUE)[0]) for rows in (low, mean, high))
    assert at_low > 0 > at_high
    assert at_low - at_mean == pytest.approx(at_mean - at_high, rel=0.01)


def test_a_network_with_a_borrowed_term_adds_it_up(terms: BorrowedTerms) -> None:
    """Risk and relevance grow by exactly the term; every other relevance stays; the hidden layers do not see it."""
    patients = with_albumin("own", "diagnosis", 2)
    own = network(inputs(patients), members=3)
    lent = with_borrowed(own, terms)
    term = terms.log_risk(patients.values, CATALOGUE)
    before, after = (net.inputs.pairs(patients.values, CATALOGUE) for net in (own, lent))
    assert lent.risk(after) == pytest.approx(own.risk(before) + term, abs=1e-9)
    relevance, d = lent.relevance(after), len(own.inputs.parameters)
    assert relevance[:, d] == pytest.approx(term, abs=1e-9)
    assert np.delete(relevance, d, axis=1) == pytest.approx(own.relevance(before), abs=1e-9)
    assert lent.members(after) - own.members(before) == pytest.approx(np.tile(term[:, None], 3), abs=1e-9)


def test_a_block_that_carries_over_is_found_and_one_that_does_not_is_not() -> None:
    """Hidden albumin is lent by a cohort where it means the same (slope near 1), or nothing (interval holds 0)."""
    known = scored_by_age(with_albumin("own", "diagnosis", 3))
    good = check_borrowing("laboratory", with_albumin("lender", "survivor", 4), [known], CATALOGUE)
    assert 0.6 < good["own"].slope.value < 1.5
    assert good["own"].gain.low > 0
    assert carries_over(good)
    useless = check_borrowing("laboratory", with_albumin("lender", "survivor", 5, slope=0.0), [known], CATALOGUE)
    assert not carries_over(useless), useless


def test_a_cohort_never_lends_to_itself() -> None:
    """Where the only lender is the cohort that is judged, there is no check, and nothing is shipped."""
    own = with_albumin("own", "diagnosis", 3)
    assert check_borrowing("laboratory", own, [scored_by_age(own)], CATALOGUE) == {}
    assert not carries_over({})


def test_only_blocks_that_carry_over_are_shipped(terms: BorrowedTerms) -> None:
    """The interval of the slope over all checks decides, block by block."""

    def checked(low: float) -> BorrowedCheck:
        nothing = Interval(0, 0, 0)
        return BorrowedCheck("laboratory", 100, 50, 0.6, 0.7, 0.7, nothing, Interval(1, low, 2))

    assert that_carry_over(terms, {"laboratory": {"own": checked(0.1)}}, CATALOGUE).keys == terms.keys
    assert that_carry_over(terms, {"laboratory": {"own": checked(-0.1)}}, CATALOGUE).keys == ()
    assert that_carry_over(terms, {"vitals": {"own": checked(0.1)}}, CATALOGUE).keys == ()
    two = {"own": checked(0.1), "all": checked(-0.1)}
    assert that_carry_over(terms, {"laboratory": two}, CATALOGUE).keys == ()


def test_a_package_borrows_from_its_stable_settings_only() -> None:
    """`diagnosis` borrows from `survivor`, never from `acute`; the manifest names the lenders and what is typical."""
    own = with_albumin("own", "diagnosis", 3)
    measured_in_few = own.values.copy()
    measured_in_few[40:, ALBUMIN] = np.nan
    own = msgspec.structs.replace(own, values=measured_in_few)
    elsewhere = msgspec.structs.replace(with_albumin("judge", "diagnosis", 8), setting=np.full(500, "metastatic"))
    others = [with_albumin("survivors", "survivor", 6), with_albumin("ward", "acute", 7)]
    settings, evaluation = train_package(
        join_cohorts([own, elsewhere, *others]), None, CATALOGUE, LINEAR, lambda _: silent, 2
    )
    by_key = {setting.key: setting.setting for setting in settings}
    assert set(evaluation.gamma) == set(by_key)
    assert all(
        found.rank_correlation and 0 < found.relative < 0.2 < found.rank_correlation
        for found in evaluation.gamma.values()
    )
    checks = evaluation.borrowed["diagnosis"]["laboratory"]
    assert carries_over(checks), checks
    assert by_key["diagnosis"].trained["lab_albumin"].borrowed_from == ("judge", "survivors")
    assert by_key["diagnosis"].borrowed["lab_albumin"].patients == 1000
    assert not by_key["acute"].borrowed
    assert not by_key["survivor"].borrowed
    assert not by_key["metastatic"].borrowed, "it has albumin of its own"


def test_acute_patients_lend_nothing() -> None:
    """They are refused by name of the settings that may: their values mean something else."""
    own, ward = with_albumin("own", "diagnosis", 3), with_albumin("ward", "acute", 7)
    with pytest.raises(ValueError, match="diagnosis, metastatic, survivor can lend terms, acute ones cannot"):
        train_package(own, ward, CATALOGUE, LINEAR, lambda _: silent, 2)
