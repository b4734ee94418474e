"""The line that `scripts/demo` prints for an emergency department's developer."""

import json
import shlex

from demo.__main__ import SHOWN_ARRIVING, emergency_call
from demo.patients import demo_patients
from service.emergency.request import read_asked


def test_the_line_can_be_pasted_into_a_shell() -> None:
    """It asks the service for events on a patient of the demonstration, with a body that the service takes."""
    words = shlex.split(emergency_call("http://127.0.0.1:8000", SHOWN_ARRIVING).removeprefix("Emergency "))
    body = words[words.index("-d") + 1]
    assert words[:3] == ["curl", "-sN", "http://127.0.0.1:8000/emergency/assessments"]
    assert "Accept: text/event-stream" in words
    assert read_asked(body.encode(), 10).patient_id == json.loads(body)["patientId"]
    assert SHOWN_ARRIVING in demo_patients()
