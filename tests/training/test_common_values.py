"""What values are common among the training patients of a group."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from models.manifest import COMMON
from models.package import Package
from models.training.cohort import CohortError, write_cohort
from models.training.common_values import add_common_values
from models.training.evaluation_report import Evaluation
from models.training.packaging import write_package
from service.commands.model import model
from tests.unit.models.made_up import cohort, schema, trained_setting

CATALOGUE = schema()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A package that was written before common values were."""
    folder, trained = tmp_path_factory.mktemp("package"), trained_setting()
    groups = {name: msgspec.structs.replace(group, common={}) for name, group in trained.setting.groups.items()}
    setting = msgspec.structs.replace(trained.setting, groups=groups)
    write_package(folder, "older", "1", CATALOGUE, [msgspec.structs.replace(trained, setting=setting)], Evaluation({}))
    return Package.load(folder, CATALOGUE)


def test_they_are_quantiles_of_those_who_have_a_value() -> None:
    """10 % and 90 %, of the patients of the group; levels are levels."""
    table, groups = cohort(), trained_setting().setting.groups
    for name in ("diagnosis", "entity_colon"):
        own = table if name == "diagnosis" else table.rows(table.entity == name)
        for key, (low, high) in groups[name].common.items():
            column = own.values[:, CATALOGUE.index[key]]
            known = column[~np.isnan(column)]
            for end, share in zip((low, high), COMMON, strict=True):
                assert (known < end - 1e-4).mean() - 0.02 <= share <= (known <= end + 1e-4).mean() + 0.02, key
            assert {low, high} <= {float(f"{value:.6g}") for value in known.tolist()}
    assert groups["diagnosis"].common.keys() == groups["diagnosis"].typical.keys() - {"entity"}


def test_they_are_added_without_training(older: Package, tmp_path: Path) -> None:
    """What training would have written stands in the manifest, and nothing else is changed."""
    assert add_common_values(older, cohort(), CATALOGUE, tmp_path) == ("diagnosis",)
    added = Package.load(tmp_path, CATALOGUE)
    assert added.manifest.settings["diagnosis"].groups == trained_setting().setting.groups
    assert added.manifest.files == older.manifest.files
    assert added.digest != older.digest


def test_other_patients_are_refused(older: Package, tmp_path: Path) -> None:
    """A cohort that did not train the package has other numbers; a setting that it lacks is named."""
    with pytest.raises(CohortError, match=r"of diagnosis: the number of \w+ is not that"):
        add_common_values(older, cohort(500), CATALOGUE, tmp_path)
    with pytest.raises(CohortError, match=r"the number of \w+ is not that of the package"):
        add_common_values(older, cohort(600, seed=1), CATALOGUE, tmp_path)
    acute = msgspec.structs.replace(cohort(), setting=np.full(600, "acute"))
    with pytest.raises(CohortError, match="setting acute: the package has no network"):
        add_common_values(older, acute, CATALOGUE, tmp_path)
    assert not list(tmp_path.iterdir())


def test_by_command_line(older: Package, tmp_path: Path) -> None:
    """The package that was written loads."""
    file, out = tmp_path / "mine.parquet", tmp_path / "new"
    write_cohort(file, cohort(), CATALOGUE)
    options = ("common-values", "--package", str(older.path), "--cohort", str(file), "--out", str(out))
    done = CliRunner().invoke(model, options)
    assert done.exit_code == 0, done.output
    assert "common values of diagnosis" in done.output
    assert Package.load(out, CATALOGUE).networks["diagnosis"].common(None)
