import json
import re
from pathlib import Path

import pytest

from detector.verdict import Reason
from lambda_api.errors import ProblemCode
from static_site.catalogue import Catalogue, CatalogueError, script_keys
from static_site.render import HERE
from tests.wording import overclaims

EXPLAINS_WHY_WE_DO_NOT_SAY_SO = {
    "home.never.vouch.text",
    "help.word_explains",
    "help.word_explains_text",
}


def load(code: str) -> dict[str, str]:
    values: dict[str, str] = json.loads((HERE / "locales" / f"{code}.json").read_text("utf-8"))
    return values


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_have_the_same_messages() -> None:
    """English and Indonesian name the same keys in the same order."""
    assert list(load("en")) == list(load("id"))


def test_both_languages_fill_in_the_same_values() -> None:
    """Each message has the same places for values in both languages."""
    indonesian = load("id")
    differing = [key for key, text in load("en").items() if places(text) != places(indonesian[key])]
    assert [] == differing


def test_every_message_is_translated() -> None:
    """A message that reads the same in both languages is a name, not a forgotten translation."""
    indonesian = load("id")
    same = {key for key, text in load("en").items() if text == indonesian[key]}
    assert same == {
        "about.col.auroc",
        "about.col.recall",
        "script.condition.video",
        "script.detail.format",
        "script.detail.model",
        "about.paper.ours",
    }


def test_no_message_vouches_or_accuses(messages: dict[str, str]) -> None:
    """No message calls an image real or fake, except those that explain why we do not say so."""
    vouching = {key for key, text in messages.items() if overclaims(text)}
    assert vouching == EXPLAINS_WHY_WE_DO_NOT_SAY_SO & vouching


def test_the_listed_exceptions_are_needed() -> None:
    """Each listed exception uses a forbidden word in at least one language."""
    used = {key for code in ("en", "id") for key, text in load(code).items() if overclaims(text)}
    assert used == EXPLAINS_WHY_WE_DO_NOT_SAY_SO


def test_no_headline_or_title_is_an_exception() -> None:
    """Headlines, titles and what scripts say are not among the exceptions."""
    assert not [
        key
        for key in EXPLAINS_WHY_WE_DO_NOT_SAY_SO
        if key.startswith("script.") or key.endswith((".title", ".heading"))
    ]


def test_a_missing_message_is_named() -> None:
    """Asking for a message that does not exist raises an error with its key."""
    with pytest.raises(CatalogueError, match=r"there is no message home\.title"):
        Catalogue("en", {}).text("home.title")


def test_an_unused_message_is_named() -> None:
    """A message that nothing asked for raises an error with its key."""
    catalogue = Catalogue("en", {"used": "a", "left.over": "b"})
    catalogue.text("used")
    with pytest.raises(CatalogueError, match=r"left\.over"):
        catalogue.refuse_unused()


def test_an_unused_message_of_an_absent_part_may_stay() -> None:
    """A part that a page leaves out leaves its messages unused, and no other."""
    catalogue = Catalogue("en", {"part.one": "a", "left.over": "b"})
    with pytest.raises(CatalogueError, match=r"uses left\.over$"):
        catalogue.refuse_unused(except_for=("part",))


def test_every_reason_has_words() -> None:
    """Each code that the detector gives has a sentence in both languages, and the page knows it."""
    script = (HERE / "js" / "ui" / "verdict-card.js").read_text("utf-8")
    for reason in Reason:
        key = f"script.reason.{reason}"
        assert key in load("en")
        assert key in load("id")
        assert f'  {reason}: "{key}"' in script


def test_every_problem_has_words() -> None:
    """So does each code of the API, but for those of a header that the page does not send."""
    table = (HERE / "js" / "problems.js").read_text("utf-8")
    without = {code for code in ProblemCode if f'  {code}: "script.error.' not in table}
    of_idempotency = {"idempotency_key_invalid", "idempotency_key_reused", "request_in_progress"}
    assert of_idempotency == without
    scripts = (HERE / "js").rglob("*.js")
    assert not any("Idempotency-Key" in script.read_text("utf-8") for script in scripts)


def test_a_message_given_twice_is_named(tmp_path: Path) -> None:
    """A locale file that gives a key twice is refused."""
    path = tmp_path / "en.json"
    path.write_text('{"a": "1", "a": "2"}', "utf-8")
    with pytest.raises(CatalogueError, match="a is given twice"):
        Catalogue.load(path)


def test_values_are_escaped() -> None:
    """A value put into a message cannot bring markup with it."""
    text = Catalogue("en", {"a": "Hello & {name}"}).text("a", name="<b>")
    assert str(text) == "Hello &amp; &lt;b&gt;"


def test_scripts_name_messages_as_whole_strings(tmp_path: Path) -> None:
    """Keys in every kind of quotes are found, and nothing else is."""
    script = tmp_path / "a.js"
    script.write_text(
        """say("script.one"); say('script.two.x'); "script"; say(`other.key`)""", "utf-8"
    )
    assert script_keys([script]) == {"script.one", "script.two.x"}
