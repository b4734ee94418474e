"""What is stored for survival: the shrunk slope, the thinned baseline, the supported horizons."""

import msgspec
import numpy as np
import pytest

from models.survival import cumulative_hazard as stored
from models.training.calibration import (
    STEPS,
    baselines,
    cumulative_hazard,
    shrunk,
    supported_horizons,
    survival_days,
)
from models.training.cohort import Cohort
from models.training.evaluation_report import Interval
from tests.unit.models.made_up import cohort


def test_a_slope_is_drawn_towards_one_by_what_it_is_not_sure_of() -> None:
    """A standard error as large as the prior's leaves half of the way, none leaves all, a small one nearly all."""
    assert shrunk(Interval(0.8, 0.8 - 0.196, 0.8 + 0.196)) == pytest.approx(0.9)
    assert shrunk(Interval(0.8, 0.8 - 0.0196, 0.8 + 0.0196)) == pytest.approx(0.801980, abs=1e-5)
    assert shrunk(Interval(0.8, 0.8, 0.8)) == 0.8


def test_thinning_does_not_move_the_horizons() -> None:
    """The stored hazard is Breslow's at every horizon, whatever steps were left out between them."""
    patients, days = cohort(2000, seed=3), survival_days("diagnosis")
    risk = np.random.default_rng(0).normal(0, 0.5, len(patients))
    baseline = baselines(risk, patients, days)["made_up"]
    exact = cumulative_hazard(risk, patients, np.array(days, dtype=np.float64))
    assert len(baseline.days) <= STEPS + 2 * len(days) < len(set(patients.time[patients.event]))
    assert [stored(baseline, day) for day in days] == pytest.approx(exact, rel=1e-5)


def of_one_type(deaths: int, later: int) -> Cohort:
    """`deaths` before day 100, `later` patients who are followed to day 500."""
    whole = cohort(deaths + later, missing=0.0)
    dead = np.arange(len(whole)) < deaths
    return msgspec.structs.replace(
        whole,
        entity=np.full(len(whole), "entity_colon"),
        event=dead,
        time=np.where(dead, 99.0, 500.0),
        entry=np.zeros(len(whole)),
    )


def test_a_horizon_needs_deaths_before_it_and_patients_at_risk() -> None:
    """100 and 50, in one entity; nobody is at risk before entry or after leaving."""
    days = (90, 180, 365, 730)
    assert supported_horizons(of_one_type(100, 50), days) == {"entity_colon": (180, 365)}
    assert supported_horizons(of_one_type(99, 50), days) == {}
    assert supported_horizons(of_one_type(100, 49), days) == {}
    late = msgspec.structs.replace(of_one_type(100, 50), entry=np.full(150, 200.0))
    assert supported_horizons(late, days) == {"entity_colon": (365,)}
