"""Words that no verdict, headline, title or API value uses."""

import re

FORBIDDEN = re.compile(
    r"\b(real|authentic|genuine|fake)\b|\b100\s*(%|percent|persen)", re.IGNORECASE
)
FORBIDDEN_IN_INDONESIAN = re.compile(r"\b(otentik|autentik|palsu|nyata|asli)\b", re.IGNORECASE)
BRAND = re.compile(r"\bAsli\b")


def overclaims(text: str) -> bool:
    """Whether a text in either language uses one of the words. The brand's name does not count."""
    text = BRAND.sub("", text)
    return bool(FORBIDDEN.search(text) or FORBIDDEN_IN_INDONESIAN.search(text))
