"""Eight invented patients: what the demonstration shows, and what the fast tests read.

Dates count back from `today`, so that windows hold on every day (laboratory 30 days, vital signs 7, histology 90).
Those of the patient in the emergency department count back from the hour, as her vital signs hold for six.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import cache

from demo.charts.breast import breast
from demo.charts.chart import Resource
from demo.charts.colorectal import colorectal
from demo.charts.emergency import emergency
from demo.charts.lung import lung
from demo.charts.treated import treated
from demo.charts.unscored import sparse, two_primaries, without_cancer

_CHARTS = (lung, colorectal, breast, treated, sparse, without_cancer, two_primaries)


def demo_patients(today: date | None = None) -> dict[str, list[Resource]]:
    """The resources of every patient by patient id; each list begins with its Patient.

    Of another day than today the emergency is that of its noon (UTC).
    """
    now = datetime.combine(today, time(12), UTC) if today else _this_hour()
    charts: list[list[Resource]] = json.loads(_written(now))
    return {resources[0]["id"]: resources for resources in charts}


def _this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


@cache
def _written(now: datetime) -> str:
    """All charts as JSON: validating them costs 0.1 s, reading them again nothing."""
    return json.dumps([*(chart(now.date()) for chart in _CHARTS), emergency(now)])


def demo_bundle(patients: Iterable[str] = (), today: date | None = None) -> Resource:
    """A transaction that puts patients (all, or those named by id) on a FHIR server under their own ids.

    Raises KeyError for an id that is none of theirs.
    """
    known = demo_patients(today)
    resources = [resource for patient in patients or known for resource in known[patient]]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_put(resource) for resource in resources]}


def _put(resource: Mapping[str, object]) -> Resource:
    return {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}
