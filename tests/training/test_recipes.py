"""Recipes."""

import dataclasses

import pytest

from training.recipes import (
    RECIPES,
    RECONSTRUCTIONS,
    Match,
    Phase,
    Recipe,
    asli,
    paper,
    recipe_of,
    wang2020,
    without,
    without_photographs_of,
)

MIX = {"vae": 1.0}


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_recipes_are_named_after_their_function(name: str) -> None:
    """And the same recipe comes out each time."""
    assert name == RECIPES[name]().name
    assert RECIPES[name]() == RECIPES[name]()


def test_phases_follow_each_other() -> None:
    """Each step belongs to one phase; past the end there is none."""
    first, second = (
        Phase(crop_size=64, steps=2, pairs_per_step=1, mix=MIX),
        Phase(crop_size=96, steps=1, pairs_per_step=1, mix=MIX),
    )
    recipe = Recipe(name="x", phases=(first, second))

    assert [first, first, second] == [recipe.phase_at(step) for step in range(recipe.steps)]
    with pytest.raises(ValueError, match="ends before step 3"):
        recipe.phase_at(3)


def test_generators_of_all_phases_are_counted() -> None:
    """Each once, in order."""
    phases = (
        Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"vae": 1.0}),
        Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"vae": 0.5, "gan": 0.5}),
    )

    assert ("gan", "vae") == Recipe(name="x", phases=phases).generators


def test_what_is_left_out_leaves_its_share_to_the_others() -> None:
    """And the name says so, so that two runs are never taken for each other."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"vae": 0.2, "gan": 0.5, "x": 0.3})
    recipe = without(Recipe(name="all", phases=(phase,)), {"gan", "not in it"})

    assert "all-without-gan" == recipe.name
    assert pytest.approx({"vae": 0.4, "x": 0.6}) == recipe.phases[0].mix
    with pytest.raises(ValueError, match="Nothing is left"):
        without(recipe, {"vae", "x"})


def test_the_probe_is_part_of_the_recipe() -> None:
    """What it names is learned, and it takes no step; a recipe without phases is none."""
    probe = Phase(crop_size=64, steps=2, pairs_per_step=3, mix={"gan": 1.0})
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix=MIX)
    recipe = Recipe(name="x", probe=probe, phases=(phase,))

    assert (1, ("gan", "vae")) == (recipe.steps, recipe.generators)
    with pytest.raises(ValueError, match="has no phases"):
        Recipe(name="x", phases=())


def test_photographs_of_a_source_can_be_left_out() -> None:
    """Generators that were matched to it keep their other sources; one that has none is named."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix=MIX)
    recipe = Recipe(name="x", phases=(phase,), matches={"vae": Match(sources=("a", "b"))})
    less = without_photographs_of(recipe, "a")

    assert ("x-without-a", ("b",)) == (less.name, less.matches["vae"].sources)
    with pytest.raises(ValueError, match=r"no photographs for \['vae'\]"):
        without_photographs_of(less, "b")


def test_a_mix_must_sum_to_one() -> None:
    """A typing mistake in the shares is refused."""
    with pytest.raises(ValueError, match="must sum to 1"):
        Phase(crop_size=64, steps=1, pairs_per_step=1, mix={"vae": 0.5})


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_is_put_together_again_from_its_parts(name: str) -> None:
    """As a checkpoint holds it; what an older checkpoint does not name has its default."""
    recipe = RECIPES[name]()
    values = dataclasses.asdict(recipe)
    del values["patience"]

    assert recipe == recipe_of(values)
    with pytest.raises(TypeError, match="forgotten"):
        recipe_of({**values, "forgotten": 1})


def test_the_methods_compared_learn_the_same_images() -> None:
    """Wang et al. take as many steps on the same generators as ours, the paper 800 images of one of them."""
    assert set(asli().generators) - set(RECONSTRUCTIONS) == set(wang2020().generators)
    assert wang2020().steps == asli().steps
    assert (("stylegan",), 800, True) == (
        paper().generators,
        paper().images,
        paper().whole_images,
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"held_out": ("vae",)}, "holds out"),
        ({"patience": 0}, "Patience"),
        ({"images": 1}, "needs"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(values: dict[str, object], message: str) -> None:
    """Before anything is computed."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix=MIX)

    with pytest.raises(ValueError, match=message):
        Recipe(name="x", phases=(phase,), **values)  # type: ignore[arg-type]


def test_what_is_left_out_chooses_no_weights_either() -> None:
    """Or it would not be unseen."""
    phase = Phase(crop_size=64, steps=1, pairs_per_step=1, mix=MIX)
    recipe = Recipe(name="x", phases=(phase,), held_out=("gan", "other"))

    assert ("other",) == without(recipe, {"gan"}).held_out
