"""Fill the column mark of a mapping by a rule: python fill_marks.py mapping.csv marked.csv."""

import csv
import sys
from pathlib import Path


def rule(row: dict[str, str]) -> str:
    """Return kept, rejected, or nothing for a file; change it to yours."""
    return "kept" if row["index"] == "0" else "rejected"


def main(source: Path, target: Path) -> None:
    """Write the table with its marks filled in."""
    with source.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["mark"] = row["mark"] or rule(row)
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
