"""The messages of one language, with a record of which were used.

A message is plain text with `{named}` places. Asking for one that does not exist, and keeping one
that no page and no script asks for, are both errors that name the key.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from markupsafe import Markup, escape

SCRIPT_KEY = re.compile(r"""["'`](script\.[a-z0-9_]+(?:\.[a-z0-9_]+)*)["'`]""")
"""How a script names a message: always as a whole string, so that it can be found here."""


class CatalogueError(Exception):
    """A message is missing, unused, or given twice."""


class Catalogue:
    """Messages of one language."""

    def __init__(self, name: str, messages: Mapping[str, str]) -> None:
        self.name = name
        self.messages = dict(messages)
        self._used: set[str] = set()

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read a locale file: one JSON object of key to text. A key given twice is refused."""
        return cls(
            path.stem, json.loads(path.read_text("utf-8"), object_pairs_hook=_without_repeats)
        )

    def text(self, key: str, **values: object) -> Markup:
        """The message as HTML; values are escaped unless they are Markup."""
        return escape(self._raw(key)).format(**values)

    def for_scripts(self, keys: Iterable[str]) -> dict[str, str]:
        """The messages that scripts ask for, as they stand."""
        return {key: self._raw(key) for key in sorted(keys)}

    def refuse_unused(self, *, except_for: tuple[str, ...] = ()) -> None:
        """Call when every page is rendered. Keys that begin with one of `except_for` may be unused."""
        unused = sorted(
            key for key in self.messages.keys() - self._used if not key.startswith(except_for)
        )
        if unused:
            raise CatalogueError(f"{self.name}: no page or script uses {', '.join(unused)}")

    def _raw(self, key: str) -> str:
        self._used.add(key)
        try:
            return self.messages[key]
        except KeyError:
            raise CatalogueError(f"{self.name}: there is no message {key}") from None


def script_keys(scripts: Iterable[Path]) -> set[str]:
    """Every message key that a script names."""
    return {key for script in scripts for key in SCRIPT_KEY.findall(script.read_text("utf-8"))}


def _without_repeats(pairs: list[tuple[str, str]]) -> dict[str, str]:
    messages: dict[str, str] = {}
    for key, text in pairs:
        if key in messages:
            raise CatalogueError(f"The message {key} is given twice")
        messages[key] = text
    return messages
