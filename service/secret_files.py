"""Files that hold secrets and that everyone on the machine can read or change.

The group may: in Kubernetes a mounted Secret belongs to root, and to the group that the pod runs as.
"""

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from service.fhir_settings import FhirServer

_OTHERS = stat.S_IROTH | stat.S_IWOTH


def open_to_others(servers: Sequence[FhirServer], state_file: Path | None) -> tuple[str, ...]:
    """The settings whose files are. A file that cannot be looked at is told elsewhere, by who reads it."""
    named: Mapping[str, list[Path | None]] = {
        "[fhir.backend] key_file": [server.backend.key_file for server in servers if server.backend],
        "[fhir.basic] password_file": [server.basic.password_file for server in servers if server.basic],
        "state.file": [state_file],
    }
    return tuple(setting for setting, places in named.items() if any(_is_open(place) for place in places if place))


def _is_open(place: Path) -> bool:
    try:
        files = [*place.iterdir()] if place.is_dir() else [place]
        return any(file.stat().st_mode & _OTHERS for file in files if file.is_file())
    except OSError:
        return False
