"""Faults of the room that the batches of an account share. Data, no code."""

from tests.proof.planted import Mutant

_ROOM = "tests/journal/test_room.py"
_RUNS = "tests/engine/test_sharing.py"
_MANY = "tests/journal/test_many_at_once.py::test_four_processes_never_exceed_ceiling_or_cap"

OF_ROOM = (
    Mutant(
        name="count the room of an account without its lock",
        path="journal/postgres/functions.sql",
        old="    PERFORM 1 FROM accounts WHERE origin = of_origin ORDER BY project FOR UPDATE;\n",
        new="",
        test=f"{_MANY}[postgres]",
    ),
    Mutant(
        name="take no room with an intent, in a database",
        path="journal/postgres/functions.sql",
        old="  IF room IS NOT NULL AND NOT has_room(",
        new="  IF false AND NOT has_room(",
        test=f"{_ROOM}::test_an_intent_takes_room_that_all_batches_share[postgres]",
    ),
    Mutant(
        name="take no room with an intent, in a file",
        path="journal/batch.py",
        old="                self._room.take(change.room, change.at)\n",
        new="                pass\n",
        test=f"{_MANY}[sqlite]",
    ),
    Mutant(
        name="count our own jobs alone",
        path="journal/room.py",
        old="            taken=taken,\n",
        new="            taken=[],\n",
        test=f"{_ROOM}::test_an_intent_takes_room_that_all_batches_share[sqlite]",
    ),
    Mutant(
        name="learn a limit from our own jobs alone",
        path="engine/limits/pools.py",
        old="        others = theirs + sum(",
        new="        others = sum(",
        test=f"{_RUNS}::test_runs_that_begin_together_share_a_ceiling_evenly",
    ),
    Mutant(
        name="take more than a share while another one waits",
        path="planning/room.py",
        old="        if self.mine >= -(-self.most // among):\n",
        new="        if self.mine > self.most:\n",
        test=f"{_ROOM}::test_nobody_goes_beyond_its_share_while_another_one_waits[sqlite]",
    ),
    Mutant(
        name="take a share that another one takes too, in a database",
        path="journal/postgres/functions.sql",
        old="    IF mine >= (most + among - 1) / among THEN RETURN false; END IF;\n",
        new="",
        test=f"{_ROOM}::test_nobody_goes_beyond_its_share_while_another_one_waits[postgres]",
    ),
    Mutant(
        name="let the last one that bought buy before those that wait longer",
        path="planning/room.py",
        old="        return free > before\n",
        new="        return free > 0 * before\n",
        test=f"{_ROOM}::test_where_not_all_have_a_share_it_goes_round[sqlite]",
    ),
    Mutant(
        name="wait for ever for whoever has once waited",
        path="journal/room.py",
        old='"waits": at - WAITS_FOR',
        new='"waits": 0.0',
        test=f"{_ROOM}::test_who_says_no_more_that_it_waits_is_passed_over[sqlite]",
    ),
    Mutant(
        name="count for ever what nobody leads",
        path="journal/room.py",
        old='"young": at - MAY_RUN_FOR',
        new='"young": 0.0',
        test=f"{_ROOM}::test_jobs_of_a_batch_that_nobody_leads_count_for_half_an_hour[sqlite]",
    ),
    Mutant(
        name="go by an older limit than another run was taught",
        path="journal/room.py",
        old="        if newest != room.learned_at:\n",
        new="        if newest < room.learned_at:\n",
        test=f"{_ROOM}::test_an_intent_is_refused_when_another_run_was_taught_another_limit[sqlite]",
    ),
    Mutant(
        name="let an older lesson take the place of a later one",
        path="journal/ceilings.py",
        old='                "WHERE ceilings.refused_at <= excluded.refused_at",\n',
        new='                "",\n',
        test=f"{_ROOM}::test_of_two_that_learn_of_one_limit_the_later_one_is_kept[sqlite]",
    ),
    Mutant(
        name="never look whether others have gone",
        path="engine/limits/sharing.py",
        old="        if self._refused or self.elsewhere.taken or self.elsewhere.waiting:\n",
        new="        if self._refused:\n",
        test=f"{_RUNS}::test_one_that_comes_later_has_its_share_when_a_job_has_taken_its_time",
    ),
)
