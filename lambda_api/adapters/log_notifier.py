"""Tells the operator of a new message by one line in the log, which holds none of its content."""

import logging

from lambda_api.ports import VisitorMessage

logger = logging.getLogger(__name__)


class LogNotifier:
    """For a service on one machine."""

    def notify(self, message: VisitorMessage) -> None:
        logger.info("A %s was stored as %s", message.kind.value, message.reference)
