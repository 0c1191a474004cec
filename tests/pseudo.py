"""A language that nobody speaks: every letter of every message is replaced by a look-alike.

What still has plain letters did not come from the catalogue.
"""

import json
import re
import string
from pathlib import Path

from static_site.render import HERE

_SANS = {
    **{letter: chr(0x1D5BA + i) for i, letter in enumerate(string.ascii_lowercase)},
    **{letter: chr(0x1D5A0 + i) for i, letter in enumerate(string.ascii_uppercase)},
}


def pseudo(message: str) -> str:
    """The message in that language; its {places} stay."""
    return re.sub(r"\{\w+\}|[A-Za-z]", lambda found: _SANS.get(found[0], found[0]), message)


def write_pseudo_locales(folder: Path) -> Path:
    """Locale files in that language under the names of the others."""
    folder.mkdir()
    for path in (HERE / "locales").glob("*.json"):
        messages = json.loads(path.read_text("utf-8"))
        changed = {key: pseudo(text) for key, text in messages.items()}
        (folder / path.name).write_text(json.dumps(changed), "utf-8")
    return folder


def plain_words(text: str) -> list[str]:
    """What is left in plain letters."""
    return re.findall(r"[A-Za-z]{2,}", text)
