from pathlib import Path

import pytest

from service.fhir_settings import Backend, Basic, FhirServer
from service.settings import Settings, State


def written(file: Path, mode: int) -> Path:
    file.write_text("s3cret")
    file.chmod(mode)
    return file


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o440, False), (0o644, True), (0o602, True)])
def test_a_secret_that_everyone_can_read_is_told(tmp_path: Path, mode: int, is_told: bool) -> None:
    """At every start and by `check`, by the name of the setting; the group may read, as in Kubernetes."""
    key, password, state = (written(tmp_path / name, mode) for name in ("a.pem", "password", "state.db"))
    settings = Settings(
        fhir=(
            FhirServer(url="https://a.example", backend=Backend(client_id="a", key_file=key)),
            FhirServer(url="https://b.example", basic=Basic(user="a", password_file=password)),
        ),
        state=State(file=state),
    )
    told = [text.partition(": everyone")[0] for text in settings.warnings() if "everyone on this machine" in text]
    assert told == (["[fhir.backend] key_file", "[fhir.basic] password_file", "state.file"] if is_told else [])
    assert "s3cret" not in "".join(settings.warnings())


def test_every_key_of_a_folder_is_looked_at(tmp_path: Path) -> None:
    """An old one too; what is not there is told by who reads it."""
    written(tmp_path / "new.pem", 0o600)
    folder, gone = (
        Settings(fhir=(FhirServer(url="https://a.example", backend=Backend(client_id="a", key_file=place)),))
        for place in (tmp_path, tmp_path / "none")
    )
    assert not any("key_file" in text for text in (*folder.warnings(), *gone.warnings()))
    written(tmp_path / "old.pem", 0o644)
    assert any("key_file" in text for text in folder.warnings())
