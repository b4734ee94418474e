"""The addresses of hostile_addresses.txt."""

from pathlib import Path


def hostile_addresses() -> list[tuple[str, str]]:
    """Class and address of every line."""
    lines = Path(__file__).with_name("hostile_addresses.txt").read_text(encoding="ascii").splitlines()
    parts = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return [(kind, address.encode().decode("unicode_escape")) for kind, address in parts]
