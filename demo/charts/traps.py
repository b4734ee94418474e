"""Texts that a card must never show and a reader never believe: markup, and prose that only looks like a diagnosis.

They stand where staff write freely: `Condition.code.text`, `Observation.note`, `ImagingStudy.description`.
"""

MARKUP = "<script>alert('oncohooks')</script> | **bold** | [link](javascript:alert(1)) | <img src=x onerror=alert(2)>"
RULED_OUT = "Verdacht auf Bronchialkarzinom ausgeschlossen (lung cancer ruled out)"
FAMILY = "Mutter: Mammakarzinom; mother had breast cancer, patient has none"

TRAPS = (MARKUP, RULED_OUT, FAMILY)
