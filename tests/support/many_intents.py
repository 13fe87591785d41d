"""One of several processes that buy for the same account as fast as they can: ``python -m`` with its batch.

It writes how often an intent was taken, had no room and was over the cap.
"""

import json
import random
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from batchgen.errors import NoRoomError, OverBudgetError
from batchgen.journal.stores import store_of
from batchgen.lifecycle import Accepted, Failed, SubmitStarted
from batchgen.model import JobKey, Scope
from batchgen.planning.budget import Allowance, Window
from batchgen.planning.room import Limit, Room
from tests.support.lives import JOB

MOST = 6  # jobs in flight, of all
CAP = 200  # compute units, of all
NOW = 1_800_000_000.0


def main(batch: str, folder: str, url: str, rounds: int) -> None:
    chance = random.Random(batch)
    store = store_of(url, Path(folder))
    counts = {"taken": 0, "no room": 0, "over": 0}
    caps = Allowance(windows=(Window(name="the day", cap=Decimal(CAP), since=0.0),), trust_refunds=False)
    running: list[JobKey] = []
    with store.hold(batch, stamp=NOW), store.opened() as opened:
        journal = opened.batch(Scope(origin="http://127.0.0.1/v1", project="", batch=batch))
        for number in range(rounds):
            key = JobKey(f"v1:{batch}-{number}", 1)
            started = SubmitStarted(
                at=NOW, job=replace(JOB, model="flux"), attempt=1, body="{}", reserved=Decimal(1)
            )
            try:
                journal.append(
                    key, started, allowed=caps, room=Room(limits=[Limit(most=MOST, mine=len(running))])
                )
            except NoRoomError:
                counts["no room"] += 1
            except OverBudgetError:
                counts["over"] += 1
            else:
                counts["taken"] += 1
                running.append(key)
                accepted = Accepted(at=NOW, remote_id=f"job_{batch}_{number}", charged=Decimal(1))
                journal.append(key, accepted)
            while running and chance.random() < 0.6:
                journal.append(running.pop(chance.randrange(len(running))), Failed(at=NOW))
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
