"""`python -m tests.corpus.cohort_table [CORPUS]`: what each public cohort holds, for docs/cohorts.md."""

import inspect
import sys
from pathlib import Path

import numpy as np

from fhir_mappings.cohorts.builder import BuiltCohort
from fhir_mappings.cohorts.public_cohorts import PUBLIC_COHORTS, TIME_ZERO
from models.training.race import NOT_STATED
from models.training.sources import SOURCES
from tests.conftest import CORPUS, ROOT
from tests.corpus.built_cohorts import SCHEMA, built

DOCUMENT = ROOT / "docs/cohorts.md"
HEAD = """# The public cohorts

Written by `python -m tests.corpus.cohort_table > docs/cohorts.md`; a test keeps it true. `oncohooks cohort build NAME
--data DIR --out FILE` writes one in the cohort format and `FILE.build.json` beside it (time zero, exclusions,
implausible values); `oncohooks cohort describe FILE` counts every parameter. Values go through the units, plausible
ranges, cancer types and the gene rule that FHIR records go through. A time of 0 becomes half a day, a month is 30.4375
days.

- **parameters**: those that at least one patient has, derived ones and the zeros of M0 included; the cancer type is one
- **left out**: patients by reason
- **not plausible**: values outside of the catalogue's range, taken as not measured
- **race stated**: patients of whom the source states one

The column `race` is optional. It is one of `american_indian`, `asian`, `black`, `hispanic`, `middle_eastern`,
`pacific_islander`, `white` and `other` (which is also more than one of them), or empty: not asked, refused, unknown,
text. Any other word is refused with file and row. It tells subgroups apart and is no input of any model. TCGA and
MSK-MET state race without ethnicity, so their Hispanic patients stand under a race; NHANES and SUPPORT2 asked for both
at once.

From FHIR of the United States it is the code of `ombCategory` in the extension us-core-race: 1002-5
`american_indian`, 2028-9 `asian`, 2054-5 `black`, 2076-8 `pacific_islander`, 2106-3 `white`; more than one code, or
2131-1, is `other`; `text` alone and the null flavours UNK and ASKU stay empty. `hispanic` is 2135-2 of
us-core-ethnicity: a site states one or the other question, and says which.

"""
COLUMNS = (
    "cohort", "rows", "deaths", "setting", "time zero", "parameters", "cancer types", "race stated", "licence",
    "left out", "not plausible",
)  # fmt: skip


def table(corpus: Path) -> str:
    """One row a cohort in Markdown, then what each file's reader says of traps and columns that are not read."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_row(name, built(corpus, name))) + " |" for name in PUBLIC_COHORTS]
    return "\n".join((*lines, *_notes()))


def _row(name: str, found: BuiltCohort) -> tuple[str, ...]:
    cohort = found.cohort
    known = ~np.isnan(cohort.values)
    others = [i for i, feature in enumerate(SCHEMA.features) if not feature.is_entity]
    entities = set(cohort.entity.tolist()) - {""}
    return (
        name,
        f"{len(cohort):,}",
        f"{int(cohort.event.sum()):,}",
        ", ".join(sorted(set(cohort.setting.tolist()))),
        TIME_ZERO[name],
        str(int(known[:, others].any(axis=0).sum()) + bool(entities)),
        str(len(entities)),
        f"{int((cohort.race != NOT_STATED).sum()):,}",
        SOURCES[name].licence,
        "; ".join(f"{count} {reason}" for reason, count in found.excluded.items()) or "nobody",
        str(sum(cohort.out_of_range.values())),
    )


def _notes() -> list[str]:
    lines = []
    for name, build in PUBLIC_COHORTS.items():
        module = inspect.getmodule(build)
        lines += ["", f"## {name}", "", inspect.getdoc(module) or ""]
    return lines


if __name__ == "__main__":
    sys.stdout.write(HEAD + table(Path(sys.argv[1] if len(sys.argv) > 1 else CORPUS)) + "\n")
