"""The parts of a report that come from the package's network on the patients of the file."""

from collections.abc import Iterator, Sequence

from models.features import FeatureSchema
from models.setting import Network
from models.training.cohort import Cohort
from models.training.markdown import escaped, table
from models.training.report import plots
from models.training.report.comparison_sections import Part
from models.training.report.interactions import FEATURES, PATIENTS, interactions
from models.training.report.markers import (
    Marker,
    Relevances,
    curve,
    key_markers,
    label_of,
    markers,
    markers_by_entity,
    relevances,
)

SHOWN, CURVES, PER_TYPE, SHOWN_INTERACTIONS = 25, 8, 5, 20


def marker_sections(name: str, network: Network, cohort: Cohort, schema: FeatureSchema) -> Iterator[Part]:
    """Key markers, interactions, relevance curves and the cross-cancer table. Associations, not causes."""
    of = relevances(network, cohort, schema)
    found = markers(of, schema)
    yield from _markers(name, found, len(cohort))
    yield from _by_entity(of, cohort, schema)
    yield from _interactions(name, network, found, cohort, schema)
    yield from _curves(of, found, cohort, schema)


def _markers(name: str, found: Sequence[Marker], patients: int) -> Iterator[Part]:
    carrying = key_markers(found)
    yield "#### Key markers"
    yield (
        f"Over {patients} patients {carrying} of {len(found)} markers carry 90 % of the mean |relevance - typical|. "
        "A marker that a patient lacks counts as 0. These are associations, not causes."
    )
    rows = [(marker.label, marker.mean) for marker in found[:SHOWN]]
    yield "markers", plots.bars(f"Key markers on {name}", "mean |relevance - typical| (log-risk)", rows)
    listed = found[: max(carrying, SHOWN)]
    yield table(
        ("", "marker", "mean |relevance - typical|", "share", "patients", "of the key markers"),
        [
            (i, m.label, f"{m.mean:.4f}", f"{m.share:.1%}", m.patients, "yes" if i <= carrying else "no")
            for i, m in enumerate(listed, start=1)
        ],
    )


def _by_entity(of: Relevances, cohort: Cohort, schema: FeatureSchema) -> Iterator[Part]:
    by_entity = markers_by_entity(of, cohort, schema)
    if not by_entity:
        return
    yield "#### Key markers by cancer type"
    rows = []
    for entity, found in by_entity.items():
        top = ", ".join(f"{marker.label} {marker.share:.0%}" for marker in found[:PER_TYPE])
        patients, deaths = (cohort.entity == entity).sum(), cohort.event[cohort.entity == entity].sum()
        rows.append((label_of(entity, schema), patients, deaths, key_markers(found), top))
    header = ("cancer type", "patients", "deaths", "markers for 90 %", "strongest, with their share")
    yield table(header, rows)


def _interactions(
    name: str, network: Network, found: Sequence[Marker], cohort: Cohort, schema: FeatureSchema
) -> Iterator[Part]:
    pairs = interactions(network.predictor, cohort.values, [marker.key for marker in found], schema)
    yield "#### Interactions"
    yield (
        f"Exact mixed differences between the {min(FEATURES, len(found))} strongest markers, over a sample of "
        f"{min(PATIENTS, len(cohort))} patients."
    )
    if not pairs:
        yield "None: on these patients the network adds its markers up."
        return
    shown = pairs[:SHOWN_INTERACTIONS]
    rows = [(" × ".join(pair.labels), pair.strength) for pair in shown]
    yield "interactions", plots.bars(f"Interactions on {name}", "mean |interaction| (log-risk)", rows)
    yield table(
        ("pair", "mean |interaction|", "mean", "patients with both"),
        [(" × ".join(p.labels), f"{p.strength:.4f}", f"{p.mean:+.4f}", p.patients) for p in shown],
    )


def _curves(of: Relevances, found: Sequence[Marker], cohort: Cohort, schema: FeatureSchema) -> Iterator[Part]:
    continuous = [m for m in found if m.key in schema.index and schema[m.key].kind == "continuous"]
    drawn = [(marker, curve(of, marker.key, cohort, schema)) for marker in continuous[:CURVES]]
    if not drawn:
        return
    yield "#### Relevance against value"
    yield "Medians of groups of at least ten patients; the band holds the middle half of each group."
    for marker, bins in drawn:
        if len(bins) < 2:
            yield f"{escaped(marker.label)}: too few patients."
            continue
        axis = f"{marker.label} [{schema[marker.key].unit}]"
        yield f"curve-{marker.key}", plots.relevance_curve(marker.label, axis, bins)
