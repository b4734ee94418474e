"""The cross-cancer report of a package on a cohort file: Markdown with SVG plots in one folder."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from models.features import FeatureSchema
from models.package import EVALUATION, Package
from models.setting import Network
from models.training.cohort import Cohort, CohortError
from models.training.cohort_evaluation import evaluate_package, rows_by_network
from models.training.evaluation_report import CohortEvaluation, Evaluation
from models.training.markdown import escaped
from models.training.network_training import Progress
from models.training.report.comparison_sections import Part, all_figures, comparison_sections
from models.training.report.marker_sections import marker_sections

REPORT, FIGURES = "report.md", "figures.md"
NOT_EVALUATED = (
    "Not evaluated: the cohort trained this network, so its figures come from folds. Give the file that "
    "`oncohooks model evaluate --json` writes as `--evaluation`."
)


def read_evaluation(path: Path) -> Evaluation:
    """What `model evaluate --json` or training wrote. Raises CohortError where it cannot be read as one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Evaluation)
    except msgspec.DecodeError as error:
        raise CohortError(f"{path.name}: {error}") from error


def write_report(
    package: Package,
    cohort: Cohort,
    schema: FeatureSchema,
    setting: str | None,
    given: Evaluation | None,
    out: Path,
    progress: Progress,
    bootstraps: int,
) -> list[Path]:
    """Write report.md, figures.md and the plots to `out`; their paths.

    Figures come from `given`, else from the package's own evaluation; a cohort that neither holds is evaluated now if
    it did not train the network. Markers and interactions are those of the package on the patients of `cohort`.
    """
    out.mkdir(parents=True, exist_ok=True)
    own = given or read_evaluation(package.path / EVALUATION)
    blocks, written = [_head(package)], list[Path]()
    used: dict[str, dict[str, CohortEvaluation]] = {}
    for network, rows in rows_by_network(package, cohort, setting):
        blocks.append(f"## Setting {network.setting}")
        for number, name in enumerate(sorted(set(rows.cohort.tolist()))):
            of_cohort = rows.rows(rows.cohort == name)
            progress(f"{network.setting}, cohort {number + 1}")
            result = _result(own, package, network, name, of_cohort, schema, progress, bootstraps)
            if result is not None:
                used.setdefault(network.setting, {})[name] = result
            blocks.append(f"### Cohort {escaped(name)}")
            prefix, parts = (
                f"{network.setting}-{number + 1}-{_slug(name)}",
                _parts(name, result, network, of_cohort, schema),
            )
            blocks.extend(_written(part, prefix, out, written) for part in parts)
    evaluation = Evaluation(used, own.bootstraps, own.seed)
    for file, text in ((REPORT, "\n\n".join(blocks)), (FIGURES, all_figures(evaluation))):
        (out / file).write_text(text + "\n", encoding="utf-8")
        written.append(out / file)
    return written


def _head(package: Package) -> str:
    return (
        f"# Report of {escaped(package.name)} {escaped(package.version)}\n\n"
        f"Package {package.digest[:12]}. Research use: these are associations in the cohorts named, not causes, and "
        "never advice on treatment. Intervals are 95 % bootstrap intervals. Every figure of the evaluation stands in "
        f"[{FIGURES}]({FIGURES})."
    )


def _result(
    own: Evaluation,
    package: Package,
    network: Network,
    name: str,
    cohort: Cohort,
    schema: FeatureSchema,
    progress: Progress,
    bootstraps: int,
) -> CohortEvaluation | None:
    """The evaluation of one cohort; None where the network was trained on it and nobody evaluated it."""
    held: Mapping[str, CohortEvaluation] = own.settings.get(network.setting, {})
    if name in held:
        return held[name]
    if name in {entry.name for entry in network.manifest.cohorts}:
        return None
    made, _ = evaluate_package(package, cohort, schema, network.setting, progress, bootstraps)
    return made.settings[network.setting][name]


def _parts(
    name: str, result: CohortEvaluation | None, network: Network, cohort: Cohort, schema: FeatureSchema
) -> Iterator[Part]:
    if result is None:
        yield NOT_EVALUATED
    else:
        if result.patients != len(cohort):
            yield f"**The evaluation is of {result.patients} patients, the file holds {len(cohort)} of this cohort.**"
        yield from comparison_sections(name, result)
    yield from marker_sections(name, network, cohort, schema)


def _written(part: Part, prefix: str, out: Path, written: list[Path]) -> str:
    """The Markdown of a part; a plot is written to its own file and linked."""
    if isinstance(part, str):
        return part
    name, content = part
    path = out / f"{prefix}-{_slug(name)}.svg"
    path.write_text(content, encoding="utf-8")
    written.append(path)
    return f"![{name.replace('-', ' ')}]({path.name})"


def _slug(text: str) -> str:
    """Letters and digits only: a cohort's name must not become a path."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "cohort"
