"""Adds the common values of its training patients to a package that was written without them; nothing is trained.

The rapid score asks what a missing value could change, from one end of what is common to the other
(`Group.common` in the manifest). Training writes it; older packages get it here from the cohort that trained them.
"""

from pathlib import Path

import msgspec

from models.features import FeatureSchema
from models.package import Package
from models.training.cohort import Cohort, CohortError
from models.training.local_recalibration import write_changed
from models.training.reference_groups import with_common_values


def add_common_values(package: Package, cohort: Cohort, schema: FeatureSchema, out: Path) -> tuple[str, ...]:
    """Write the package with common values to `out`; the settings of `cohort` have them, others stay as they are.

    Raises CohortError where the patients of a setting are not those that trained it, or the package lacks the setting.
    """
    settings, looked_at = dict(package.manifest.settings), tuple(sorted(set(cohort.setting.tolist())))
    for key in looked_at:
        if key not in settings:
            raise CohortError(f"setting {key}: the package has no network of that name")
        reference = cohort.rows(cohort.with_cancer & (cohort.setting == key))
        groups = with_common_values(settings[key].groups, key, reference, schema)
        settings[key] = msgspec.structs.replace(settings[key], groups=groups)
    write_changed(package, msgspec.structs.replace(package.manifest, settings=settings), out)
    return looked_at
