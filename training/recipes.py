"""Training runs by name. A run is a function that returns its whole configuration."""

import dataclasses
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from training.augment import AugmentSpec


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of training at one crop size and one strength of augmentation."""

    crop_size: int
    steps: int
    pairs_per_step: int
    mix: dict[str, float]
    """Share of each generator's fakes among the pairs; photographs are paired with them one to one."""
    augment: AugmentSpec = field(default_factory=AugmentSpec)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError("A phase needs at least one step")
        if abs(sum(self.mix.values()) - 1) > 1e-6:
            raise ValueError(f"A mix must sum to 1, got {self.mix}")


@dataclass(frozen=True, kw_only=True)
class Match:
    """Photographs for a generator whose own sources have none."""

    sources: tuple[str, ...]
    """Each as often as the others; a name may stand here twice."""


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Which statistics of ResNet-50's features the logit is made of. By default as in He et al. (CVPR 2016)."""

    stages: tuple[int, ...] = (4,)
    """Of the four; those after the last one named here are left out of the network."""
    deviations: bool = False
    """The channels' standard deviations over the crop beside their means: texture, not content
    (Liu et al., "Global Texture Enhancement for Fake Face Detection in the Wild", CVPR 2020)."""

    def __post_init__(self) -> None:
        if not self.stages or set(self.stages) - {1, 2, 3, 4}:
            raise ValueError(f"Stages are some of 1 to 4, got {self.stages}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a run computes, apart from where its data lies."""

    name: str
    phases: tuple[Phase, ...]
    network: NetworkSpec = field(default_factory=NetworkSpec)
    probe: Phase | None = None
    """The crops to which the head is fitted before the first step; none means that it starts at random."""
    probe_penalty: float = 0.35
    """Of the squared weights, beside a mean squared error of at most 1."""
    refit: Phase | None = None
    """The crops to which `training.refit` fits the head once more, in the end; of some of the generators learned."""
    refit_penalty: float = 0.5
    """As `probe_penalty`."""
    matches: dict[str, Match] = field(default_factory=dict)
    """By generator."""
    whole_images: bool = False
    """Images are resized to the crop size, in training and where they are measured, and never cut."""
    images: int | None = None
    """Training images in all, half of them photographs, drawn by the seed; every one by default."""
    learning_rate: float = 1e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_steps: int = 40
    ema_decay: float = 0.995
    clip_norm: float = 1.0
    held_out: tuple[str, ...] = ()
    """Generators that are not learned and choose the weights in place of the val split of those that are.
    Their images are then no measure of unseen generators any more."""
    patience: int | None = None
    """Evaluations without a gain after which the run ends; it never ends early by default."""
    min_gain: float = 0.001
    """Smallest rise of the mean AUROC that counts as a gain."""
    evaluate_every: int = 850
    checkpoint_every: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.phases:
            raise ValueError(f"Recipe {self.name!r} has no phases")
        if self.images is not None and self.images < 2:
            raise ValueError(f"Recipe {self.name!r} needs a photograph and an AI image")
        if both := set(self.held_out) & set(self.generators):
            raise ValueError(f"Recipe {self.name!r} learns what it holds out: {sorted(both)}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"Patience is at least one evaluation, not {self.patience}")

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    @property
    def generators(self) -> tuple[str, ...]:
        """All that are learned in some phase, or fitted, sorted."""
        return tuple(sorted({name for stretch in self.stretches for name in stretch.mix}))

    @property
    def stretches(self) -> tuple[Phase, ...]:
        """The probe and the phases, in order."""
        return (*([self.probe] if self.probe else []), *self.phases)

    @property
    def sources_matched(self) -> frozenset[str]:
        """All whose photographs stand beside images of other sources."""
        return frozenset(name for match in self.matches.values() for name in match.sources)

    def probe_recipe(self) -> "Recipe":
        """Only the probe, whose draws are not those of the steps that follow."""
        if self.probe is None:
            raise ValueError(f"Recipe {self.name!r} has no probe")
        return dataclasses.replace(
            self, phases=(self.probe,), probe=None, seed=self.seed + 1_000_000
        )

    def phase_at(self, step: int) -> Phase:
        """The phase to which a step, counted from 0, belongs."""
        end = 0
        for phase in self.phases:
            end += phase.steps
            if step < end:
                return phase
        raise ValueError(f"Recipe {self.name!r} ends before step {step}")


def recipe_of(values: Mapping[str, Any]) -> Recipe:
    """The recipe that `dataclasses.asdict` took apart; fields that are not named get their default.

    Raises TypeError when there is a field that recipes no longer have.
    """

    def phase_of(phase: Mapping[str, Any]) -> Phase:
        return Phase(**{**phase, "augment": AugmentSpec(**phase["augment"])})

    known = {
        **values,
        "phases": tuple(phase_of(phase) for phase in values["phases"]),
        "matches": {
            name: Match(sources=tuple(match["sources"]))
            for name, match in values["matches"].items()
        },
    }
    if "network" in values:
        known["network"] = NetworkSpec(**values["network"])
    for name in ("probe", "refit"):
        if values.get(name):
            known[name] = phase_of(values[name])
    return Recipe(**known)


def recipe_named(name: str) -> Recipe:
    """The whole recipe of a run, something of which may have been left out (`without`).

    Raises ValueError when there is none.
    """
    whole = name.split("-without-")[0]
    if whole not in RECIPES:
        raise ValueError(f"No recipe is known as {whole!r}")
    return RECIPES[whole]()


def without(recipe: Recipe, generators: Iterable[str]) -> Recipe:
    """The recipe with these generators left out and the shares of the others scaled up.

    Raises ValueError when a phase has nothing left to learn.
    """
    left_out = frozenset(generators)

    def lessened(phase: Phase) -> Phase:
        if not set(phase.mix) - left_out:
            raise ValueError(
                f"Nothing is left of recipe {recipe.name!r} without {sorted(left_out)}"
            )
        return dataclasses.replace(phase, mix=_mix_without(phase.mix, left_out))

    names = "-".join(sorted(left_out & set(recipe.generators)))
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-without-{names}" if names else recipe.name,
        phases=tuple(lessened(phase) for phase in recipe.phases),
        probe=lessened(recipe.probe) if recipe.probe else None,
        refit=lessened(recipe.refit) if recipe.refit else None,
        held_out=tuple(name for name in recipe.held_out if name not in left_out),
    )


def _mix_without(mix: Mapping[str, float], left_out: Container[str]) -> dict[str, float]:
    """The other shares, scaled up to 1."""
    kept = {name: share for name, share in mix.items() if name not in left_out}
    total = sum(kept.values())
    return {name: share / total for name, share in kept.items()}


def without_photographs_of(recipe: Recipe, source: str) -> Recipe:
    """The recipe with no AI image matched to this source's photographs.

    Raises ValueError when a generator has no other photographs.
    """
    matches = {
        name: Match(sources=tuple(other for other in match.sources if other != source))
        for name, match in recipe.matches.items()
    }
    if alone := [name for name, match in matches.items() if not match.sources]:
        raise ValueError(f"Without {source} there are no photographs for {alone}")
    return dataclasses.replace(recipe, name=f"{recipe.name}-without-{source}", matches=matches)


EVERYDAY = ("real_clothing", "real_catdog", "real_imagenet")
"""Sources of photographs of things and animals."""


RECONSTRUCTIONS = {"taef2-recon": 0.05, "vintage-cyclegan": 0.04}
"""Decoders whose AI images are photographs that went through them, and their shares in `asli`."""


def asli() -> Recipe:
    """Three of ResNet-50's four stages, and a head on the texture in each of them (`training.refit`).

    It learns every kind of generator that the data holds, four apart, which are left out to be tested on
    (`progan`, `infomax-gan`, `dalle-mini`, `sd-3.5-large`): small crops first, then the serving size.
    """
    faces = Match(sources=("stylegan_zoya", *EVERYDAY))
    everyday = Match(sources=EVERYDAY)
    mix = {
        "stylegan": 0.32,
        "cyclegan": 0.09,
        "msg-progan": 0.07,
        "stylegan2": 0.06,
        "stylegan2-ada": 0.07,
        "sd-1.x": 0.07,
        "sd-1.4": 0.05,
        "latent-diffusion": 0.05,
        "glid-3-xl": 0.05,
        "disco-diffusion": 0.03,
        "pixray-vqgan-clip": 0.05,
        **RECONSTRUCTIONS,
    }
    return Recipe(
        name="asli",
        network=NetworkSpec(stages=(1, 2, 3), deviations=True),
        probe=Phase(crop_size=224, steps=100, pairs_per_step=16, mix=mix),
        probe_penalty=0.5,
        phases=(
            Phase(crop_size=128, steps=1000, pairs_per_step=64, mix=mix),
            Phase(crop_size=224, steps=1000, pairs_per_step=32, mix=mix),
        ),
        refit=Phase(
            crop_size=224,
            steps=200,
            pairs_per_step=16,
            mix=_mix_without(mix, RECONSTRUCTIONS),
            augment=AugmentSpec(untouched=0.4),
        ),
        refit_penalty=2.0,
        matches={
            "msg-progan": faces,
            "stylegan2": faces,
            "stylegan2-ada": faces,
            "sd-1.x": everyday,
            "sd-1.4": everyday,
            "latent-diffusion": everyday,
            "glid-3-xl": everyday,
            "disco-diffusion": everyday,
            "pixray-vqgan-clip": everyday,
        },
        head_learning_rate=2e-4,
        evaluate_every=500,
        checkpoint_every=25,
    )


def onward() -> Recipe:
    """The features of what ships: `asli`, gone on from with photographs of web pages beside a third or more of the
    AI images that are matched to photographs (`training.photographs`, `training.restore`).

    For `training.train --start`.
    """
    ours = without(asli(), RECONSTRUCTIONS)
    return dataclasses.replace(
        ours,
        name="onward",
        probe=None,
        phases=(dataclasses.replace(ours.phases[-1], steps=500),),
        matches={
            name: Match(sources=(*match.sources, "web_pages", "web_pages"))
            for name, match in ours.matches.items()
        },
        learning_rate=5e-5,
        head_learning_rate=1e-4,
        evaluate_every=250,
        seed=1,
    )


def brief() -> Recipe:
    """A tenth of the steps of `asli`, without reconstructions: for leak tests that train."""
    ours = without(asli(), RECONSTRUCTIONS)
    return dataclasses.replace(
        ours,
        name="brief",
        phases=tuple(dataclasses.replace(phase, steps=phase.steps // 10) for phase in ours.phases),
        warmup_steps=4,
        ema_decay=0.95,
        evaluate_every=100,
    )


UNTOUCHED = AugmentSpec(untouched=1.0, hard_real=0.0)

WANG = AugmentSpec(
    untouched=0.0,
    resize=0.0,
    blur=0.5,
    blur_sigma=(0.0, 3.0),
    noise=0.0,
    jpeg=0.5,
    jpeg_quality=(30, 100),
    second_jpeg=0.0,
    webp=0.0,
    hard_real=0.0,
)


def paper() -> Recipe:
    """The method of Wangsadidjaja (2023): 800 images of one generator and its photographs, resized to 224 x 224.

    Those 800 came in 20 groups of 40; portraits know no groups, so they are drawn from all. Each is seen
    40 times. Nothing is done to them but mirroring.
    """
    return Recipe(
        name="paper",
        phases=(
            Phase(
                crop_size=224,
                steps=1000,
                pairs_per_step=16,
                mix={"stylegan": 1.0},
                augment=UNTOUCHED,
            ),
        ),
        whole_images=True,
        images=800,
        head_learning_rate=1e-4,
        weight_decay=0.0,
        evaluate_every=200,
    )


def wang2020() -> Recipe:
    """The method of Wang et al. ("CNN-generated images are surprisingly easy to spot... for now", CVPR 2020)
    on the generators of `asli`: random crops of 224 pixels, blur and JPEG each with probability 0.5.

    As many steps as `asli` takes. Ours are the pairing and the schedule of the learning rate.
    """
    ours = without(asli(), RECONSTRUCTIONS)
    return Recipe(
        name="wang2020",
        phases=(
            Phase(
                crop_size=224,
                steps=ours.steps,
                pairs_per_step=32,
                mix=ours.phases[-1].mix,
                augment=WANG,
            ),
        ),
        matches=ours.matches,
        head_learning_rate=1e-4,
        weight_decay=0.0,
        evaluate_every=500,
    )


def progan() -> Recipe:
    """`wang2020` on the training set of its authors: folders `progan_train` and `progan_val`, 20 classes."""
    theirs = wang2020()
    phase = dataclasses.replace(theirs.phases[0], mix={"progan": 1.0})
    return dataclasses.replace(theirs, name="progan", phases=(phase,), matches={})


def smoke() -> Recipe:
    """Seconds on a laptop: shows that everything runs, learns nothing."""
    mix = {"stylegan": 1.0}
    return Recipe(
        name="smoke",
        phases=(
            Phase(crop_size=64, steps=4, pairs_per_step=2, mix=mix),
            Phase(crop_size=96, steps=2, pairs_per_step=2, mix=mix),
        ),
        warmup_steps=1,
        evaluate_every=3,
        checkpoint_every=2,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {
    recipe.__name__: recipe for recipe in (asli, onward, brief, paper, wang2020, progan, smoke)
}
