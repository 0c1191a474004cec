"""What the app is given, and how a route asks for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from lambda_api.gate import AnalysisGate
from lambda_api.ports import FormReceiver, IdempotencyStore
from lambda_api.services import Clock, DetectionService, ServiceLimits


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Everything that `bootstrap` chooses."""

    detections: DetectionService
    gate: AnalysisGate
    limits: ServiceLimits
    idempotency: IdempotencyStore
    clock: Clock
    receiver: FormReceiver | None = None
    """Where the forms of uploads are posted to this service itself."""
    allowed_origins: tuple[str, ...] = ()
    site_dir: Path | None = None
    """The rendered site, when this process serves it too."""


def _of_this_app(request: Request) -> Dependencies:
    dependencies: Dependencies = request.app.state.dependencies
    return dependencies


Given = Annotated[Dependencies, Depends(_of_this_app)]
"""As a route's argument."""
