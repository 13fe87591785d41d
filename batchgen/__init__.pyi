__version__: str

from batchgen.api.manifest import Job as Job
from batchgen.api.manifest import Manifest as Manifest
from batchgen.api.manifest import load as load
from batchgen.api.public import audit as audit
from batchgen.api.public import export as export
from batchgen.api.public import plan as plan
from batchgen.api.public import run as run
from batchgen.api.public import run_sync as run_sync
from batchgen.api.public import status as status
from batchgen.api.results import Cost as Cost
from batchgen.api.results import EarlierResult as EarlierResult
from batchgen.api.results import File as File
from batchgen.api.results import JobResult as JobResult
from batchgen.api.results import ParentResult as ParentResult
from batchgen.api.results import Plan as Plan
from batchgen.api.results import PlannedJob as PlannedJob
from batchgen.api.results import Results as Results
from batchgen.api.results import UnfinishedError as UnfinishedError
from batchgen.errors import BatchgenError as BatchgenError
from batchgen.errors import BatchLockedError as BatchLockedError
from batchgen.errors import FencedError as FencedError
from batchgen.errors import GuardError as GuardError
from batchgen.errors import InputError as InputError
from batchgen.errors import JournalAwayError as JournalAwayError
from batchgen.errors import JournalError as JournalError
from batchgen.errors import ManifestError as ManifestError
from batchgen.errors import OutputError as OutputError
from batchgen.errors import Problem as Problem
from batchgen.errors import ServiceError as ServiceError
from batchgen.errors import StoppedError as StoppedError
from batchgen.errors import TransientError as TransientError
from batchgen.exits import Exit as Exit
from batchgen.output.run_events import JobChanged as JobChanged
from batchgen.output.run_events import JobSeen as JobSeen
from batchgen.output.run_events import RunEnded as RunEnded
from batchgen.output.run_events import RunEvent as RunEvent
from batchgen.output.run_events import RunStarted as RunStarted
from batchgen.output.run_events import Warned as Warned

__all__ = [
    "BatchLockedError",
    "BatchgenError",
    "Cost",
    "EarlierResult",
    "Exit",
    "FencedError",
    "File",
    "GuardError",
    "InputError",
    "Job",
    "JobChanged",
    "JobResult",
    "JobSeen",
    "JournalAwayError",
    "JournalError",
    "Manifest",
    "ManifestError",
    "OutputError",
    "ParentResult",
    "Plan",
    "PlannedJob",
    "Problem",
    "Results",
    "RunEnded",
    "RunEvent",
    "RunStarted",
    "ServiceError",
    "StoppedError",
    "TransientError",
    "UnfinishedError",
    "Warned",
    "__version__",
    "audit",
    "export",
    "load",
    "plan",
    "run",
    "run_sync",
    "status",
]
