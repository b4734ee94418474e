"""What SUPPORT2 carries of other people's predictions: the study's own model, and the patient's doctor.

Survival at 2 and 6 months from study entry: surv2m and surv6m by the SUPPORT model (Knaus et al., Ann Intern Med 1995),
prg2m and prg6m as the doctor estimated it. They are compared with ours and never enter the cohort file.
"""

from collections.abc import Iterator
from pathlib import Path

from fhir_mappings.cohorts.source_tables import number, read_rows
from fhir_mappings.cohorts.support2 import CANCER, METASTATIC, WITHOUT_CANCER
from models.training.published import PublishedRow

PREDICTIONS = {"surv2m": 60, "surv6m": 180, "prg2m": 60, "prg6m": 180}  # days


def support2_published(folder: Path) -> Iterator[PublishedRow]:
    """A row per patient and prediction that the table in `folder` has. Raises SourceError naming what is not right."""
    for row in read_rows(folder / "support2.csv.gz", ("sno", "ca", *PREDICTIONS)):
        cohort = CANCER if row["ca"] in METASTATIC else WITHOUT_CANCER
        for column, days in PREDICTIONS.items():
            survival = number(row, column)
            if survival is None:
                continue
            if not 0 <= survival <= 1:
                raise row.wrong(column, "is no number from 0 to 1")
            yield row["sno"].strip(), cohort, column, days, survival
