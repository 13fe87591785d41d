"""What batchgen can do, as functions: each opens what it needs, calls one use case and returns its result.

The command line knows this room and no other. Names are loaded when they are used: whoever asks for
``--help`` pays for none of the libraries behind them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchgen.api.bought import accept as accept
    from batchgen.api.bought import audit as audit
    from batchgen.api.bought import compare_costs as compare_costs
    from batchgen.api.bought import costs as costs
    from batchgen.api.bought import forget as forget
    from batchgen.api.bought import rebuild as rebuild
    from batchgen.api.bought import settling as settling
    from batchgen.api.manifests import validate as validate
    from batchgen.api.runs import Preview as Preview
    from batchgen.api.runs import order as order
    from batchgen.api.runs import plan as plan
    from batchgen.api.runs import run as run
    from batchgen.api.runs import status as status
    from batchgen.catalog.declared import Declared as Declared
    from batchgen.catalog.declared import declare as declare
    from batchgen.catalog.declared import plan_of as plan_of
    from batchgen.catalog.inputs import notes_on as notes_on
    from batchgen.control.client import Reply as Reply
    from batchgen.control.commands import Order as Order
    from batchgen.control.commands import read_settings as read_settings
    from batchgen.journal.orders import Answer as Answer
    from batchgen.lifecycle import State as State
    from batchgen.manifest.naming import wrong_with_period as wrong_with_period
    from batchgen.manifest.quantities import parse_duration as parse_duration
    from batchgen.manifest.quantities import parse_rate as parse_rate
    from batchgen.manifest.source.problem_view import problems_document as problems_document
    from batchgen.manifest.source.problem_view import shown_problems as shown_problems
    from batchgen.manifest.starter import SCHEMA as SCHEMA
    from batchgen.manifest.starter import starter as starter
    from batchgen.model import Json as Json
    from batchgen.model import Model as Model
    from batchgen.model import Rate as Rate
    from batchgen.model import RemoteJob as RemoteJob
    from batchgen.output.progress import Mode as Mode
    from batchgen.output.progress import mode_for as mode_for
    from batchgen.output.results import cell as cell
    from batchgen.output.run_events import RunEnded as RunEnded
    from batchgen.output.run_events import RunEvent as RunEvent
    from batchgen.plan.changes import Change as Change
    from batchgen.plan.changes import Changed as Changed
    from batchgen.plan.costs import By as By
    from batchgen.plan.costs import Cost as Cost
    from batchgen.plan.costs import Group as Group
    from batchgen.plan.costs import Sums as Sums
    from batchgen.plan.costs import fold as fold
    from batchgen.plan.costs import total as total
    from batchgen.plan.forecast import Forecast as Forecast
    from batchgen.plan.plan import Entry as Entry
    from batchgen.plan.pricing import Price as Price
    from batchgen.reconcile.audit import Situation as Situation
    from batchgen.reconcile.audit import Surplus as Surplus
    from batchgen.reconcile.billing import BillingDiff as BillingDiff
    from batchgen.reconcile.billing import Compared as Compared
    from batchgen.reconcile.billing import Shown as Shown
    from batchgen.reconcile.rebuild import Rebuilt as Rebuilt
    from batchgen.reconcile.unowned import Doubtful as Doubtful
    from batchgen.simulator.exchange import Call as Call
    from batchgen.simulator.faults import Fault as Fault
    from batchgen.simulator.faults import FaultPlan as FaultPlan
    from batchgen.simulator.front import serve as serve
    from batchgen.simulator.settings import Denied as Denied
    from batchgen.simulator.settings import Limits as Limits
    from batchgen.simulator.settings import Outcomes as Outcomes
    from batchgen.simulator.settings import Settings as Settings
    from batchgen.simulator.settings import Views as Views
    from batchgen.usecases.audience import Audience as Audience
    from batchgen.usecases.cost import CostComparison as CostComparison
    from batchgen.usecases.cost import Selection as Selection
    from batchgen.usecases.cost import zone_named as zone_named
    from batchgen.usecases.findings import Audit as Audit
    from batchgen.usecases.findings import Open as Open
    from batchgen.usecases.model_search import Search as Search
    from batchgen.usecases.model_search import describe_models as describe_models
    from batchgen.usecases.model_search import find_models as find_models
    from batchgen.usecases.names import told_of_names as told_of_names
    from batchgen.usecases.naming import NamesFound as NamesFound
    from batchgen.usecases.plan import Outlook as Outlook
    from batchgen.usecases.quotes import Quoted as Quoted
    from batchgen.usecases.quotes import QuotedClass as QuotedClass
    from batchgen.usecases.rebuild import Recovery as Recovery
    from batchgen.usecases.resolve import Answers as Answers
    from batchgen.usecases.resolve import Candidate as Candidate
    from batchgen.usecases.resolve import Desk as Desk
    from batchgen.usecases.resolve import Unsettled as Unsettled
    from batchgen.usecases.run_end import RunOutcome as RunOutcome
    from batchgen.usecases.schema import bare_schema as bare_schema
    from batchgen.usecases.schema import save_schema as save_schema
    from batchgen.usecases.schema import schema_text as schema_text
    from batchgen.usecases.status import BatchStatus as BatchStatus
    from batchgen.usecases.targets import batch_meant as batch_meant
    from batchgen.usecases.targets import manifest_meant as manifest_meant
    from batchgen.wiring.batch import Batch as Batch
    from batchgen.wiring.interrupts import Interrupts as Interrupts
    from batchgen.wiring.options import Allow as Allow
    from batchgen.wiring.options import Options as Options
    from batchgen.wiring.options import environment as environment

# Where each name is: the functions of this room, and the values that they take and return.
_PLACES = {
    "batchgen.api.bought": "accept audit compare_costs costs forget rebuild settling",
    "batchgen.api.manifests": "validate",
    "batchgen.api.runs": "Preview order plan run status",
    "batchgen.catalog.declared": "Declared declare plan_of",
    "batchgen.catalog.inputs": "notes_on",
    "batchgen.control.client": "Reply",
    "batchgen.control.commands": "Order read_settings",
    "batchgen.journal.orders": "Answer",
    "batchgen.lifecycle": "State",
    "batchgen.manifest.naming": "wrong_with_period",
    "batchgen.manifest.quantities": "parse_duration parse_rate",
    "batchgen.manifest.source.problem_view": "problems_document shown_problems",
    "batchgen.manifest.starter": "SCHEMA starter",
    "batchgen.model": "Json Model Rate RemoteJob",
    "batchgen.output.progress": "Mode mode_for",
    "batchgen.output.results": "cell",
    "batchgen.output.run_events": "RunEnded RunEvent",
    "batchgen.plan.changes": "Change Changed",
    "batchgen.plan.costs": "By Cost Group Sums fold total",
    "batchgen.plan.forecast": "Forecast",
    "batchgen.plan.plan": "Entry",
    "batchgen.plan.pricing": "Price",
    "batchgen.reconcile.audit": "Situation Surplus",
    "batchgen.reconcile.billing": "BillingDiff Compared Shown",
    "batchgen.reconcile.rebuild": "Rebuilt",
    "batchgen.reconcile.unowned": "Doubtful",
    "batchgen.simulator.exchange": "Call",
    "batchgen.simulator.faults": "Fault FaultPlan",
    "batchgen.simulator.front": "serve",
    "batchgen.simulator.settings": "Denied Limits Outcomes Settings Views",
    "batchgen.usecases.audience": "Audience",
    "batchgen.usecases.run_end": "RunOutcome",
    "batchgen.usecases.cost": "CostComparison Selection zone_named",
    "batchgen.usecases.findings": "Audit Open",
    "batchgen.usecases.status": "BatchStatus",
    "batchgen.usecases.model_search": "Search describe_models find_models",
    "batchgen.usecases.names": "told_of_names",
    "batchgen.usecases.naming": "NamesFound",
    "batchgen.usecases.plan": "Outlook",
    "batchgen.usecases.quotes": "Quoted QuotedClass",
    "batchgen.usecases.rebuild": "Recovery",
    "batchgen.usecases.resolve": "Answers Candidate Desk Unsettled",
    "batchgen.usecases.schema": "bare_schema save_schema schema_text",
    "batchgen.usecases.targets": "batch_meant manifest_meant",
    "batchgen.wiring.batch": "Batch",
    "batchgen.wiring.interrupts": "Interrupts",
    "batchgen.wiring.options": "Allow Options environment",
}
_NAMES = {name: module for module, names in _PLACES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Load a name from its module.

    Raises:
        AttributeError: there is none of that name.
    """
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_NAMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names that can be loaded."""
    return sorted(_NAMES)
