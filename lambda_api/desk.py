"""What visitors tell us: messages, and that a result looks wrong."""

import hashlib
import logging
import secrets
from datetime import timedelta

from lambda_api.errors import DetectionNotFound, MediaMismatch, NotificationFailed
from lambda_api.jobs import Job
from lambda_api.ports import (
    Feedback,
    FeedbackLabel,
    MessageKind,
    MessageStore,
    Notifier,
    VisitorMessage,
)
from lambda_api.services import Clock

logger = logging.getLogger(__name__)

KEPT_FOR = timedelta(days=365)
"""Messages and feedback, from the day they arrive."""

MIN_MESSAGE_CHARACTERS, MAX_MESSAGE_CHARACTERS = 10, 2000

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without what is mistaken for something else when read aloud or copied by hand."""


class Desk:
    """Stores first, then tells the operator; that nobody could be told is not the sender's problem."""

    def __init__(self, store: MessageStore, notifier: Notifier, *, clock: Clock) -> None:
        self._store = store
        self._notifier = notifier
        self._clock = clock

    def take_message(self, kind: MessageKind, text: str, email: str | None) -> VisitorMessage:
        """Keep a message."""
        now = self._clock().replace(microsecond=0)
        message = VisitorMessage(
            reference=_new_reference(),
            created_at=now,
            expires_at=now + KEPT_FOR,
            kind=kind,
            text=text,
            email=email,
        )
        self._store.save_message(message)
        try:
            self._notifier.notify(message)
        except NotificationFailed as error:
            logger.warning("Nobody could be told of %s: %s", message.reference, error)
        return message

    def take_feedback(self, job: Job, label: FeedbackLabel, media: bytes | None) -> Feedback:
        """Keep what is known about a result in numbers, and the file only if it was given again.

        Raises DetectionNotFound for a job without a result, and MediaMismatch when `media` is not the
        file that was analysed.
        """
        analysis = job.analysis
        if analysis is None:
            raise DetectionNotFound
        expected = analysis["media"]["sha256"]
        if media is not None and hashlib.sha256(media).hexdigest() != expected:
            raise MediaMismatch("This is not the file that the result is about.")
        now = self._clock().replace(microsecond=0)
        media_facts = {name: fact for name, fact in analysis["media"].items() if name != "sha256"}
        errors = analysis["expected_errors"]
        feedback = Feedback(
            reference=_new_reference(),
            created_at=now,
            expires_at=now + KEPT_FOR,
            label=label,
            facts={
                "verdict": analysis["verdict"],
                "reasons": analysis["reasons"],
                "pixel": analysis["pixel"],
                "provenance": analysis["provenance"]["state"],
                "condition": errors and errors["condition"],
                "media": media_facts,
                "model": analysis["model"],
            },
            media=media,
        )
        self._store.save_feedback(feedback)
        return feedback


def _new_reference() -> str:
    """Such as 7KQM-2XRA-9BDT: short enough to quote, too many to guess."""
    characters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join(characters[i : i + 4] for i in (0, 4, 8))
