"""Which version of the code runs."""

import subprocess
from pathlib import Path


def revision() -> str:
    """The commit of the code, with `+` when files were changed since; `unknown` outside a repository."""
    try:
        name = _git("rev-parse", "--short=12", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - fixed words
    return done.stdout.strip()
