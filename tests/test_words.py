"""The words of the house: module names are plain, or the glossary has them."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
# Words of modules that a dictionary, or the trade, explains well enough.
PLAIN = frozenset((Path(__file__).parent / "plain_words.txt").read_text(encoding="utf-8").split())


def names() -> dict[str, Path]:
    """Return the words of all module and room names, each with a place where it stands."""
    found = {}
    for path in (ROOT / "batchgen").rglob("*"):
        if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__"):
            found.update(dict.fromkeys(path.stem.strip("_").split("_"), path))
    return found


def test_every_module_has_a_name_that_the_glossary_or_a_dictionary_knows() -> None:
    known = set(re.findall(r"[a-z]+", GLOSSARY)) | PLAIN
    assert {word: str(path) for word, path in names().items() if word not in known} == {}


def test_no_word_stays_in_the_list_that_no_module_has() -> None:
    assert sorted(PLAIN - names().keys()) == []


def test_no_two_rows_of_the_glossary_explain_one_word() -> None:
    rows = re.findall(r"^\| ([^|]+?) \|", GLOSSARY, re.MULTILINE)
    assert len(rows) == len(set(rows))
