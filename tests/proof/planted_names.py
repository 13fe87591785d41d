"""Faults in what files are called and how they are renamed, each with the test that must fail with it."""

from tests.proof.planted import Mutant

_ARRANGING = "tests/usecases/test_arranging.py"
_DECISION = "tests/planning/test_arrangement.py"
_NIGHTS = "tests/usecases/test_nights.py"
_NAMES = "tests/manifest/test_file_names.py"

OF_FILE_NAMES = (
    Mutant(
        name="rename before it is on record",
        path="usecases/arranging.py",
        old="            self._moves.begin(ready)\n",
        new="",
        test=_ARRANGING,
    ),
    Mutant(
        name="strike renames off before the records say where files lie",
        path="usecases/arranging.py",
        old="        done = self._record_all(landed)\n        self._moves.end()\n",
        new="        self._moves.end()\n        done = self._record_all(landed)\n",
        test=_ARRANGING,
    ),
    Mutant(
        name="leave to nobody what a killed run was renaming",
        path="usecases/arranging.py",
        old="        pending = self._moves.pending()\n",
        new="        pending: list[Move] = []\n",
        test=_ARRANGING,
    ),
    Mutant(
        name="replace what has the name of a file",
        path="output/disk.py",
        old="        os.link(source, target, follow_symlinks=False)\n"
        "    except OSError as error:\n"
        "        if error.errno not in NO_SECOND_NAME:\n"
        "            raise\n"
        "        _rename(source, target)\n",
        new="        os.replace(source, target)\n"
        "        return\n"
        "    except OSError as error:\n"
        "        if error.errno not in NO_SECOND_NAME:\n"
        "            raise\n"
        "        _rename(source, target)\n",
        test="tests/output/test_disk.py",
    ),
    Mutant(
        name="take whatever lies at the source of a rename for its file",
        path="output/moving.py",
        old="        here = here and not self._came_there(one)\n",
        new="",
        test="tests/output/test_moving.py",
    ),
    Mutant(
        name="take folders that differ in case alone for two",
        path="output/disk.py",
        old="        wanted = folded(name)\n",
        new="        wanted = folded(name) if folded(name) == name else name\n",
        test="tests/output/test_disk.py",
    ),
    Mutant(
        name="send away what somebody has edited",
        path="planning/arrangement.py",
        old="        return (lot.is_over or is_in_the_way) and self._is_whole(lot)\n",
        new="        return lot.is_over or is_in_the_way\n",
        test=_DECISION,
    ),
    Mutant(
        name="send away what a job had before its new file is there",
        path="planning/file_claims.py",
        old=" if one.job.id in ids and _has_files(one, records, disk)}\n",
        new=" if one.job.id in ids}\n",
        test=_DECISION,
    ),
    Mutant(
        name="leave the name of a lost file to two records",
        path="usecases/arranging.py",
        old="Arranged(noted=self._note(found.absent))",
        new="Arranged()",
        test=_ARRANGING,
    ),
    Mutant(
        name="rename what is fetched just now",
        path="output/known_files.py",
        old="        free = frozenset(one for one in asset_ids if one not in self._fetched)\n",
        new="        free = frozenset(asset_ids)\n",
        test=_ARRANGING,
    ),
    Mutant(
        name="keep quiet of what has the name of a new file",
        path="usecases/run_end.py",
        old="    found += order.findings if order is not None else []\n",
        new="",
        test="tests/cli/test_recover.py::test_files_that_are_damaged_or_gone_are_fetched_again",
    ),
    Mutant(
        name="ask a person about the files of a rehearsal",
        path="usecases/arranging.py",
        old="    return [one for one in blocked if one.edited or folded(one.holder) not in known]\n",
        new="    return blocked if known is not None else ()\n",
        test="tests/cli/test_unattended.py::test_without_a_terminal_a_purchase_needs_a_yes_or_a_cap",
    ),
    Mutant(
        name="show a night that was told to stop in the place of a whole one",
        path="output/latest.py",
        old='    if interrupted and _shown(folder / JSON_NAME) not in {"", home}:\n        return ""\n',
        new="",
        test=_NIGHTS,
    ),
    Mutant(
        name="let two slots that differ in case alone share a folder",
        path="planning/slots.py",
        old="    return alone if any(one.casefold() == slot.casefold() for one in earlier) else plain\n",
        new="    return alone if slot in earlier else plain\n",
        test=_NIGHTS,
    ),
    Mutant(
        name="write results again that say the same",
        path="output/results.py",
        old="    if written is None:\n        digest = hashlib.sha256()\n",
        new="    if written is None or results.exit is not None:\n        digest = hashlib.sha256()\n",
        test="tests/output/test_unchanged.py",
    ),
    Mutant(
        name="let two jobs have one file name",
        path="planning/name_checks.py",
        old="                twins.setdefault(key, [first]).append(index)\n",
        new="                twins.setdefault(key, [first])\n",
        test=f"{_NAMES}::test_two_jobs_of_one_name_are_told_with_both_places_and_what_tells_them_apart",
    ),
    Mutant(
        name="forget the columns of a row that no text uses",
        path="manifest/variables.py",
        old="found.update(zip(variables.table.columns, variables.table[number], strict=True))",
        new="found.update(zip(variables.table.columns[:1], variables.table[number], strict=False))",
        test="tests/manifest/test_variables.py",
    ),
)
