"""At which times each setting is judged: months from diagnosis on, days for an acute stay."""

import msgspec
import numpy as np
from numpy.typing import NDArray

DAYS_A_MONTH = 30.4375
ACUTE = "acute"


class Horizons(msgspec.Struct, frozen=True):
    """`reported` are the horizons of every table, `grid` the times an integral runs over; both in `unit`s."""

    unit: str
    days_a_unit: float
    reported: tuple[int, ...]
    grid: tuple[int, ...]

    @property
    def grid_days(self) -> NDArray[np.float64]:
        return np.array(self.grid) * self.days_a_unit

    @property
    def days(self) -> dict[str, float]:
        """Label of each reported horizon -> its day."""
        return {str(time): time * self.days_a_unit for time in self.reported}

    def column(self, label: str) -> int:
        """Where a reported horizon stands in the grid."""
        return self.grid.index(int(label))


# Both grids have as many points, so that predictions of several cohorts fit one array.
LONG = Horizons("months", DAYS_A_MONTH, (6, 12, 24, 60), tuple(range(6, 61, 6)))
SHORT = Horizons("days", 1.0, (30, 90, 180), (10, 20, 30, 45, 60, 75, 90, 120, 150, 180))
GRID_POINTS = len(LONG.grid)


def horizons_of(setting: NDArray[np.str_]) -> Horizons:
    """The horizons of a cohort by the `setting` column of its rows: its clock decides, whatever network scores it."""
    return SHORT if len(setting) and (setting == ACUTE).all() else LONG
