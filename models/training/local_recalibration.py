"""Recalibration at a site: its own patients say how far log-risks spread there, and how survival goes; weights stay.

The slope is estimated anew on top of the packaged one and shrunk towards it; the baseline hazard is that of the site's
patients. A package that was recalibrated names the site: only there survival figures may be shown.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.features import FeatureSchema
from models.manifest import Manifest, Setting
from models.package import CARD, EVALUATION, MANIFEST, Package
from models.position import supported_risk
from models.setting import Network
from models.training.calibration import (
    baselines,
    calibration_slope,
    shrunk,
    supported_horizons,
    survival_days,
)
from models.training.card import model_card
from models.training.cohort import Cohort, CohortError
from models.training.cox import RiskSets
from models.training.evaluation_report import Evaluation, Interval
from models.training.reference_groups import rounded

FEWEST_DEATHS = 100  # in a setting; fewer cannot tell a slope from the prior


def recalibrate(package: Package, cohort: Cohort, schema: FeatureSchema, site: str, out: Path) -> dict[str, Interval]:
    """Write the recalibrated package to `out`; the site's own slope on top of the packaged one, by setting.

    Settings without patients in `cohort` stay as they are, and are not recalibrated. Raises CohortError where the site
    is a training cohort's name, or where too few patients of a setting died.
    """
    settings, slopes = dict(package.manifest.settings), {}
    for key in sorted(set(cohort.setting.tolist())):
        if key not in package.networks:
            raise CohortError(f"setting {key}: the package has no network of that name")
        if site in package.networks[key].manifest.baselines:
            raise CohortError(f"--site {site}: a cohort that trained the package has that name")
        settings[key], slopes[key] = _recalibrated(
            package.networks[key], cohort.rows(cohort.setting == key), schema, site
        )
    write_changed(package, msgspec.structs.replace(package.manifest, settings=settings), out)
    return slopes


def _recalibrated(network: Network, cohort: Cohort, schema: FeatureSchema, site: str) -> tuple[Setting, Interval]:
    deaths = int(cohort.event.sum())
    if deaths < FEWEST_DEATHS:
        raise CohortError(f"setting {network.setting}: {deaths} deaths, at least {FEWEST_DEATHS} are needed")
    packaged, days = network.manifest, survival_days(network.setting)
    risk = packaged.slope * _served_risk(network, cohort, schema)
    one = np.full(len(cohort), site)
    found = calibration_slope(risk, RiskSets(cohort.entry, cohort.time, cohort.event, one))
    if found is None:
        raise CohortError(f"setting {network.setting}: the risk of all patients is the same")
    local = shrunk(found)
    changed = msgspec.structs.replace(
        packaged,
        slope=rounded(packaged.slope * local),
        slope_interval=(rounded(packaged.slope * found.low), rounded(packaged.slope * found.high)),
        baselines={**packaged.baselines, **baselines(local * risk, msgspec.structs.replace(cohort, cohort=one), days)},
        anchor=site,
        recalibrated=(site,),
        horizons=supported_horizons(cohort, days),
    )
    return changed, found


def _served_risk(network: Network, cohort: Cohort, schema: FeatureSchema) -> NDArray[np.float64]:
    """The log-risk that a survival figure uses: of the parameters that the patient's group can vouch for."""
    _, relevance = network.predictor.relevance(cohort.values)
    groups = network.manifest.groups
    return np.array(
        [
            supported_risk(row, groups.get(entity) or groups[network.setting], schema)
            for row, entity in zip(relevance, cohort.entity.tolist(), strict=True)
        ]
    )


def write_changed(package: Package, manifest: Manifest, out: Path) -> None:
    """Write the package with another manifest to `out`: all files but manifest and card as they are."""
    evaluation = msgspec.json.decode((package.path / EVALUATION).read_bytes(), type=Evaluation)
    card = model_card(manifest, evaluation).encode()
    files = {**manifest.files, CARD: hashlib.sha256(card).hexdigest()}
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(card if name == CARD else (package.path / name).read_bytes())
    stated = msgspec.json.encode(msgspec.structs.replace(manifest, files=files))
    (out / MANIFEST).write_bytes(msgspec.json.format(stated, indent=1) + b"\n")
