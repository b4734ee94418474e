"""The kinds of plot of a report, each from figures to one SVG."""

from collections.abc import Sequence

from models.training.evaluation_report import CalibrationCurve, Interval
from models.training.report.markers import CurveBin
from models.training.report.scale import Scale, scale_of, skewed_scale_of
from models.training.report.svg import Drawing, text_width

WIDTH, RIGHT, TOP, BOTTOM, LINE = 760.0, 30.0, 64.0, 56.0, 18.0
LONGEST_LABEL = 46


def forest(
    title: str,
    axis: str,
    series: Sequence[str],
    rows: Sequence[tuple[str, Sequence[Interval | None]]],
    reference: float | None = None,
) -> str:
    """A line of estimates with their intervals per row, one marker per series; `reference` is drawn dashed."""
    shown = [value for _, values in rows for value in values if value is not None]
    each = LINE * max(1.2, 0.75 * len(series))
    height = TOP + each * len(rows) + BOTTOM
    drawing = Drawing(WIDTH, height, title, f"{axis} of {', '.join(series)} in {len(rows)} rows")
    limits = [limit for value in shown for limit in (value.low, value.value, value.high)]
    x = scale_of(
        [*limits, *([] if reference is None else [reference])], _label_width([r[0] for r in rows]), WIDTH - RIGHT
    )
    _horizontal_axis(drawing, x, height - BOTTOM, axis)
    if reference is not None:
        drawing.line(x(reference), TOP, x(reference), height - BOTTOM, "guide", dash="4 3")
    for number, (label, values) in enumerate(rows):
        middle = TOP + each * (number + 0.5)
        drawing.text(x.start - 10, middle + 4, _short(label), anchor="end")
        for i, value in enumerate(values):
            if value is not None:
                y = middle + (i - (len(values) - 1) / 2) * LINE * 0.6
                drawing.line(x(value.low), y, x(value.high), y, f"s{i}", width=1.6)
                drawing.marker(x(value.value), y, i)
    _legend(drawing, series)
    return drawing.render()


def bars(title: str, axis: str, rows: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars from 0."""
    height = TOP + LINE * 1.2 * len(rows) + BOTTOM
    drawing = Drawing(WIDTH, height, title, f"{axis}: {len(rows)} bars")
    x = Scale(
        0.0,
        max((value for _, value in rows), default=1.0) * 1.04 or 1.0,
        _label_width([r[0] for r in rows]),
        WIDTH - RIGHT,
    )
    _horizontal_axis(drawing, x, height - BOTTOM, axis)
    for number, (label, value) in enumerate(rows):
        y = TOP + LINE * 1.2 * number
        drawing.text(x.start - 10, y + 14, _short(label), anchor="end")
        drawing.bar(x.start, y + 3, x(value) - x.start, LINE * 0.8, 0)
    return drawing.render()


def calibration(title: str, curve: CalibrationCurve) -> str:
    """Observed against predicted survival; on the dashed line what was predicted came true."""
    side = 460.0
    drawing = Drawing(side + 130, side + 120, title, "observed against predicted survival in tenths of the patients")
    x, y = Scale(0.0, 1.0, 70.0, 70 + side), Scale(0.0, 1.0, TOP + side - 20, TOP - 20)
    _horizontal_axis(drawing, x, y.start, f"predicted survival at {curve.horizon}", top=y.end)
    _vertical_axis(drawing, y, x.start, x.end, "observed survival (Kaplan-Meier)")
    drawing.line(x(0), y(0), x(1), y(1), "guide", dash="4 3")
    for point in curve.points:
        at = x(point.predicted)
        drawing.line(at, y(point.observed.low), at, y(point.observed.high), "s0", width=1.6)
        drawing.marker(at, y(point.observed.value), 0)
    return drawing.render()


def relevance_curve(title: str, axis: str, bins: Sequence[CurveBin]) -> str:
    """Median relevance against the value, with the middle half of the patients as a band."""
    drawing = Drawing(520, 340, title, f"relevance against {axis} in {len(bins)} groups of patients")
    x = skewed_scale_of([entry.value for entry in bins], 70.0, 500.0)
    y = scale_of([0.0, *(limit for entry in bins for limit in (entry.low, entry.high))], 284.0, 44.0)
    _horizontal_axis(drawing, x, y.start, axis, top=y.end)
    _vertical_axis(drawing, y, x.start, x.end, "relevance (log-risk)")
    drawing.line(x.start, y(0), x.end, y(0), "guide", dash="4 3")
    band = [(x(b.value), y(b.high)) for b in bins] + [(x(b.value), y(b.low)) for b in reversed(bins)]
    drawing.area(band, 0)
    drawing.path([(x(entry.value), y(entry.median)) for entry in bins], 0)
    for entry in bins:
        drawing.marker(x(entry.value), y(entry.median), 0, 3)
    return drawing.render()


def _horizontal_axis(drawing: Drawing, x: Scale, bottom: float, label: str, top: float = TOP) -> None:
    for value, text in x.ticks():
        drawing.line(x(value), top, x(value), bottom, "grid")
        drawing.text(x(value), bottom + 18, text, anchor="middle")
    drawing.line(x.start, bottom, x.end, bottom, "axis")
    drawing.text((x.start + x.end) / 2, bottom + 40, label, anchor="middle")


def _vertical_axis(drawing: Drawing, y: Scale, left: float, right: float, label: str) -> None:
    for value, text in y.ticks():
        drawing.line(left, y(value), right, y(value), "grid")
        drawing.text(left - 8, y(value) + 4, text, anchor="end")
    drawing.line(left, y.start, left, y.end, "axis")
    drawing.text(18, (y.start + y.end) / 2, label, anchor="middle", turned=True)


def _legend(drawing: Drawing, series: Sequence[str]) -> None:
    x = 22.0
    for number, name in enumerate(series):
        drawing.marker(x, 44, number)
        drawing.text(x + 10, 48, name)
        x += 34 + text_width(name)


def _label_width(labels: Sequence[str]) -> float:
    return 30 + max((text_width(_short(label)) for label in labels), default=0.0)


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"
