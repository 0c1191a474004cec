"""The two training labels. Nothing else in the project spells them as numbers."""

REAL = 0
FAKE = 1

CLASS_NAMES = ("real", "fake")
