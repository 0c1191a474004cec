"""Training runs by name. A run is a function that returns its whole configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field

from training.augment import AugmentSpec


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of training at one crop size and one strength of augmentation."""

    crop_size: int
    steps: int
    pairs_per_step: int
    augment: AugmentSpec = field(default_factory=AugmentSpec)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a run computes, apart from where its data lies."""

    name: str
    phases: tuple[Phase, ...]
    mix: dict[str, float]
    """Share of each generator's fakes among the pairs; photographs are paired with them one to one."""
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 40
    ema_decay: float = 0.995
    clip_norm: float = 1.0
    evaluate_every: int = 550
    checkpoint_every: int = 100
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
        end = 0
        for phase in self.phases:
            end += phase.steps
            if step < end:
                return phase
        raise ValueError(f"Recipe {self.name!r} ends before step {step}")


LIGHT = AugmentSpec(
    untouched=0.5,
    resize=0.1,
    blur=0.1,
    noise=0.05,
    jpeg=0.5,
    jpeg_quality=(60, 98),
    second_jpeg=0.0,
    webp=0.05,
    hard_real=0.1,
)


def asli() -> Recipe:
    """What ships: StyleGAN portraits and aligned photographs; small crops, and the serving size at the end.

    It begins with light augmentation, because nothing was learned in 300 steps under the full one.
    """
    return Recipe(
        name="asli",
        phases=(
            Phase(crop_size=128, steps=400, pairs_per_step=24, augment=LIGHT),
            Phase(crop_size=128, steps=550, pairs_per_step=24),
            Phase(crop_size=224, steps=150, pairs_per_step=8),
        ),
        mix={"stylegan": 0.45, "taef2-recon": 0.35, "vintage-cyclegan": 0.20},
    )


def smoke() -> Recipe:
    """Seconds on a laptop: shows that everything runs, learns nothing."""
    return Recipe(
        name="smoke",
        phases=(
            Phase(crop_size=64, steps=4, pairs_per_step=2),
            Phase(crop_size=96, steps=2, pairs_per_step=2),
        ),
        mix={"stylegan": 1.0},
        warmup_steps=1,
        evaluate_every=3,
        checkpoint_every=2,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in (asli, smoke)}
