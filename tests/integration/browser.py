"""A real headless Chromium: opens a page, runs its scripts, gives back what it shows."""

import os
import shutil
import subprocess
from pathlib import Path

_SECONDS = 60.0
_VIRTUAL_MILLISECONDS = 20_000  # for the page's own timers; they run out at once while nothing is under way


class BrowserMissing(Exception):  # noqa: N818 - a fact about the machine, and the reason of a named skip
    """This machine has no Chromium."""


def opened(address: str, folder: Path, screenshot: Path | None = None) -> str:
    """The page's DOM once its scripts have come to rest, as HTML; with `screenshot`, a PNG of it goes there.

    `folder` is for the browser's profile. Raises BrowserMissing.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise BrowserMissing("no chromium on the path")
    options = [
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--accept-lang=en",
        "--no-proxy-server",
        "--hide-scrollbars",
        "--window-size=960,900",
        f"--user-data-dir={folder}",
        f"--virtual-time-budget={_VIRTUAL_MILLISECONDS}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),  # Chromium's sandbox refuses root
        *([f"--screenshot={screenshot}"] if screenshot else []),
    ]
    done = subprocess.run(
        [program, *options, "--dump-dom", address], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
    return done.stdout
