"""A small SVG writer: elements are built as a tree, so whatever a text holds is escaped and the file is well-formed.

Colours are those of Okabe and Ito, which people with colour-blindness tell apart, and every series has a shape of its
own beside its colour. The style follows the reader's light or dark mode.
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SERIES = 5
LETTER = 6.6  # px, the usual width of a letter at 12 px
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1b1b1b } .title { font-size: 15px; font-weight: 600 }
.paper { fill: #ffffff } .axis { stroke: #595959 } .grid { stroke: #dcdcdc } .guide { stroke: #595959 }
.s0 { fill: #0072b2; stroke: #0072b2 } .s1 { fill: #d55e00; stroke: #d55e00 } .s2 { fill: #009e73; stroke: #009e73 }
.s3 { fill: #aa5585; stroke: #aa5585 } .s4 { fill: #595959; stroke: #595959 }
@media (prefers-color-scheme: dark) {
text { fill: #ececec } .paper { fill: #16181b } .axis { stroke: #b4b4b4 } .grid { stroke: #3a3d42 }
.guide { stroke: #b4b4b4 } .s0 { fill: #56b4e9; stroke: #56b4e9 } .s1 { fill: #f0932b; stroke: #f0932b }
.s2 { fill: #34c79a; stroke: #34c79a } .s3 { fill: #e6a3c8; stroke: #e6a3c8 } .s4 { fill: #b4b4b4; stroke: #b4b4b4 } }
"""


class Drawing:
    """A drawing of `width` x `height` px; `title` is printed, `description` is for those who cannot see it."""

    def __init__(self, width: float, height: float, title: str, description: str) -> None:
        size = {"width": f"{width:g}", "height": f"{height:g}", "viewBox": f"0 0 {width:g} {height:g}"}
        self._root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **size})
        for tag, content in (("title", title), ("desc", description), ("style", STYLE)):
            ET.SubElement(self._root, tag).text = _printable(content)
        self._add("rect", "paper", x=0, y=0, width=width, height=height)
        self.text(16, 24, title, kind="title")

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str, *, width: float = 1, dash: str = "") -> None:
        more: dict[str, float | str] = {"stroke-width": width} | ({"stroke-dasharray": dash} if dash else {})
        self._add("line", kind, x1=x1, y1=y1, x2=x2, y2=y2, **more)

    def text(
        self, x: float, y: float, content: str, *, anchor: str = "start", kind: str = "", turned: bool = False
    ) -> None:
        more: dict[str, float | str] = {"text-anchor": anchor}
        if turned:
            more["transform"] = f"rotate(-90 {x:.1f} {y:.1f})"
        self._add("text", kind, x=x, y=y, **more).text = _printable(content)

    def bar(self, x: float, y: float, width: float, height: float, series: int) -> None:
        self._add("rect", f"s{series % SERIES}", x=x, y=y, width=width, height=height)

    def area(self, points: Sequence[tuple[float, float]], series: int) -> None:
        """A filled band, see-through."""
        more: dict[str, float | str] = {"fill-opacity": 0.2, "stroke": "none"}
        self._add("polygon", f"s{series % SERIES}", points=_points(points), **more)

    def path(self, points: Sequence[tuple[float, float]], series: int) -> None:
        more: dict[str, float | str] = {"stroke-width": 2, "style": "fill: none"}
        self._add("polyline", f"s{series % SERIES}", points=_points(points), **more)

    def marker(self, x: float, y: float, series: int, size: float = 4.5) -> None:
        """Circle, square, diamond, triangle, bar: by the number of the series."""
        kind, s = f"s{series % SERIES}", size
        shapes: tuple[Sequence[tuple[float, float]], ...] = (
            (),
            ((-s, -s), (s, -s), (s, s), (-s, s)),
            ((0, -1.4 * s), (1.4 * s, 0), (0, 1.4 * s), (-1.4 * s, 0)),
            ((0, -1.2 * s), (1.2 * s, s), (-1.2 * s, s)),
            ((-s, -0.3 * s), (s, -0.3 * s), (s, 0.3 * s), (-s, 0.3 * s)),
        )
        shape = shapes[series % SERIES]
        if not shape:
            self._add("circle", kind, cx=x, cy=y, r=s)
            return
        self._add("polygon", kind, points=_points([(x + dx, y + dy) for dx, dy in shape]))

    def render(self) -> str:
        ET.indent(self._root, " ")
        return ET.tostring(self._root, encoding="unicode") + "\n"

    def _add(self, tag: str, kind: str, **attributes: float | str) -> ET.Element:
        shown = {
            name: f"{value:.4g}" if isinstance(value, int | float) else value for name, value in attributes.items()
        }
        return ET.SubElement(self._root, tag, {**({"class": kind} if kind else {}), **shown})


def text_width(content: str) -> float:
    return LETTER * len(content)


def _printable(content: str) -> str:
    """Without the control characters that XML does not have."""
    return NOT_XML.sub("\ufffd", content)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
