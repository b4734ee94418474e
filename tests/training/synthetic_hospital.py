"""The Bulk Data export of a made-up hospital: patients of a cohort table as FHIR, with an outcome and a future."""

import gzip
import json
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from models.training.cohort import Cohort
from tests.as_fhir import Resource, resources_of
from tests.unit.models.made_up import schema

FIRST, UNTIL = date(2015, 1, 1), date(2024, 6, 30)
CATALOGUE = schema()


def diagnosed(number: int) -> date:
    return FIRST + timedelta(days=3 * number)


def export(folder: Path, table: Cohort) -> None:
    """A file a type, the Observations in two, one of them packed; lines out of order."""
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for number in range(len(table)):
        for resource in resources_of_patient(number, table):
            lines[str(resource["resourceType"])].append(json.dumps(resource))
    folder.mkdir()
    for kind, several in lines.items():
        (folder / f"{kind}.000.ndjson").write_text("\n".join(several[1::2][::-1]) + "\n")
        with gzip.open(folder / f"{kind}.001.ndjson.gz", "wt") as packed:
            packed.write("\n".join(several[::2][::-1]))


def resources_of_patient(number: int, table: Cohort) -> list[Resource]:
    """What was known on the day of diagnosis, then another stage, another value, a last visit and perhaps a death."""
    name, at = str(table.patient_id[number]), diagnosed(number)
    values = table.values[number]
    row = {key: float(values[i]) for i, key in enumerate(CATALOGUE.keys) if not np.isnan(values[i])}
    known = resources_of(name, row, at)
    for resource in known:
        if resource["resourceType"] == "Condition":
            resource |= {"onsetDateTime": at.isoformat(), "recordedDate": at.isoformat()}
        elif resource["resourceType"] == "Observation":
            resource |= {"effectiveDateTime": at.isoformat()}
    end = at + timedelta(days=int(table.time[number]))
    if table.event[number]:
        known[0]["deceasedDateTime"] = end.isoformat()
    later = resources_of(name, {**row, "lab_hemoglobin": 7.0, "lab_cea": 500.0, "stage_m1": 1.0}, at)
    future = [one for one in later if one["resourceType"] == "Observation"]
    for place, resource in enumerate(future):
        resource |= {"id": f"{name}-later-{place}", "effectiveDateTime": (at + timedelta(days=2)).isoformat()}
    visit = {
        "resourceType": "Encounter", "id": f"{name}-visit", "status": "finished", "class": {"code": "AMB"},
        "subject": {"reference": f"Patient/{name}"}, "period": {"start": end.isoformat(), "end": end.isoformat()},
    }  # fmt: skip
    return [*known, *future, visit]
