"""Training runs by name. A run is a function that returns its whole configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field

from training.augment import AugmentSpec


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of training at one crop size."""

    crop_size: int
    steps: int
    pairs_per_step: int


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a run computes, apart from where its data lies."""

    name: str
    phases: tuple[Phase, ...]
    mix: dict[str, float]
    """Share of each generator's fakes among the pairs; photographs are paired with them one to one."""
    learning_rate: float = 2e-4
    head_learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup_steps: int = 100
    ema_decay: float = 0.998
    clip_norm: float = 1.0
    evaluate_every: int = 350
    checkpoint_every: int = 100
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.phases or min(phase.steps for phase in self.phases) < 1:
            raise ValueError(f"Recipe {self.name!r} has no steps")
        if abs(sum(self.mix.values()) - 1) > 1e-6:
            raise ValueError(f"The mix of recipe {self.name!r} must sum to 1, got {self.mix}")

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase_at(self, step: int) -> Phase:
        """The phase to which a step, counted from 0, belongs."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        raise ValueError(f"Recipe {self.name!r} ends before step {step}")


def asli() -> Recipe:
    """What ships: StyleGAN portraits and aligned photographs, small crops first, serving size last."""
    return Recipe(
        name="asli",
        phases=(
            Phase(crop_size=96, steps=1200, pairs_per_step=32),
            Phase(crop_size=224, steps=200, pairs_per_step=16),
        ),
        mix={"stylegan": 0.35, "taef2-recon": 0.45, "vintage-cyclegan": 0.20},
    )


def smoke() -> Recipe:
    """Seconds on a laptop: shows that everything runs, learns nothing."""
    return Recipe(
        name="smoke",
        phases=(Phase(crop_size=64, steps=4, pairs_per_step=2), Phase(crop_size=96, steps=2, pairs_per_step=2)),
        mix={"stylegan": 1.0},
        warmup_steps=1,
        evaluate_every=3,
        checkpoint_every=2,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in (asli, smoke)}
