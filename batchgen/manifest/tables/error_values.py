"""What programs write into a cell that has no value: errors of spreadsheets, and words for nothing.

As a prompt such a cell would be bought like any other text.
"""

import re
from collections.abc import Iterable

from batchgen.model import Json

# In every language Excel, Sheets and LibreOffice have, an error is one word in capitals between # and ! or ?,
# but for those that say "not available" or "still loading", and for LibreOffice's numbers.
_MARKED = re.compile(r"#[¡¿]?[^\W\d_a-z][^\sa-z#!?]{0,24}[!?]")
_UNMARKED = frozenset({
    "#N/A", "#N/A!", "#N/A N/A", "#N/D", "#N/D!", "#NV", "#NV!", "#N/B", "#I/T", "#YOK", "#SAKNAS",
    "#PUUTTUU", "#HIÁNYZIK", "#NENÍ_K_DISPOZICI", "#GETTING_DATA", "#DATEN_ABRUFEN", "#UNKNOWN",
    "#DIV/0", "#REF", "#VALUE", "#NULL", "#NUM", "#NAME", "#SPILL", "#CALC", "#FIELD", "#ERROR", "#BLOCKED",
    "#CONNECT", "#BUSY", "#WERT", "#BEZUG", "#ZAHL", "#VALEUR", "#VALOR", "#VALORE", "#RIF",
    "#Н/Д", "#ВЫЧИСЛ", "#ССЫЛКА", "#ЗНАЧ", "#ИМЯ", "#ДЕЛ/0", "#ПУСТО", "#ЧИСЛО",  # noqa: RUF001 - Russian
})  # fmt: skip
_WORDS = (
    "Err", "Error", "Fehler", "Erreur", "Errore", "Fout", "Fel", "Virhe", "Chyba", "Hiba", "Błąd",
    "Ошибка", "Erro",  # codespell:ignore - Portuguese
)  # fmt: skip
_NUMBERED = re.compile(rf"(?:{'|'.join(_WORDS)}):\d{{3}}")
_NARROW = re.compile("#{3,}")

_NOTHINGS = {
    "\\N": "a database's mark",
    "NULL": "a database's word",
    "null": "a database's word",
    "(null)": "a database's word",
    "<null>": "a database's word",
    "[NULL]": "a database's word",
    "None": "Python's word",
    "NaN": "a program's word",
    "nan": "a program's word",
    "<NA>": "a program's word",
    "NaT": "a program's word",
    "undefined": "JavaScript's word",
    "[object Object]": "JavaScript's word",
    "N/A": "people's word",
    "n/a": "people's word",
}


def may_have_errors(text: str) -> bool:
    """Return whether a cell of a table may be an error: a quick look at all of its text at once."""
    return "#" in text or ":5" in text


def has_word_for_nothing(texts: Iterable[str]) -> bool:
    """Return whether any of many texts is a word for nothing."""
    return not _NOTHINGS.keys().isdisjoint(texts)


def is_error(value: Json) -> bool:
    """Return whether all of a cell is a spreadsheet's error, such as ``#REF!``."""
    if not isinstance(value, str) or not (value.startswith("#") or value[-4:-3] == ":"):
        return False
    patterns = (_MARKED, _NARROW, _NUMBERED)
    return value in _UNMARKED or any(one.fullmatch(value) for one in patterns)


def word_for_nothing(value: Json) -> str | None:
    """Say whose word for nothing all of a cell is; None for any other."""
    return _NOTHINGS.get(value) if isinstance(value, str) else None
