"""What batchgen can do, as functions: each opens what it needs, calls one use case and returns its result.

The command line knows this room and no other. Names are loaded when they are used: whoever asks for
``--help`` pays for none of the libraries behind them.
"""

from importlib import import_module
from typing import Any

# Where each name is: the functions of this room, and the values that they take and return.
_PLACES = {
    "batchgen.api.bought": "accept audit compare_costs costs forget jobs_meant mark rebuild restore settling",
    "batchgen.api.exports": "export job_lines",
    "batchgen.api.journals": "copy_journal journal_health prepare_journal",
    "batchgen.api.manifests": "validate",
    "batchgen.api.plans": "Preview Rest plan",
    "batchgen.api.reports": "report",
    "batchgen.api.runs": "run",
    "batchgen.api.looks": "chains status",
    "batchgen.api.workers": "Pool Rung enqueue pool prepare_queue remove work",
    "batchgen.catalog.declared": "Declared declare plan_of",
    "batchgen.catalog.inputs": "notes_on",
    "batchgen.control.client": "Reply order",
    "batchgen.control.commands": "Order order_to_redo order_to_restore read_settings",
    "batchgen.journal.copying": "Copied",
    "batchgen.journal.enqueued": "Enqueued Wait WorkerKept",
    "batchgen.journal.health": "Health Leader",
    "batchgen.journal.orders": "Answer",
    "batchgen.lifecycle": "State",
    "batchgen.manifest.naming": "batch_from wrong_with_period",
    "batchgen.manifest.quantities": "parse_duration parse_rate",
    "batchgen.manifest.source.problem_view": "problems_document shown_problems",
    "batchgen.manifest.starter": "SCHEMA starter",
    "batchgen.model": "NO_RATE Json Model Rate RemoteJob Scope",
    "batchgen.output.atomic": "write_text",
    "batchgen.output.progress": "Mode mode_for",
    "batchgen.output.results": "cell results_schema",
    "batchgen.output.event_lines": "event_line LineFile",
    "batchgen.output.run_events": "ErrorTold Level Requested RunEnded RunEvent RunStarted Said events_schema",
    "batchgen.redaction": "Redaction",
    "batchgen.identity": "as_said is_file is_reference",
    "batchgen.planning.caps": "CapUse Fit",
    "batchgen.planning.chains": "BlockedBy ChainCount Outdated made_of told_along told_with_chains",
    "batchgen.planning.changes": "Change Changed",
    "batchgen.planning.costs": "By Cost Group Sums fold total",
    "batchgen.planning.forecast": "Forecast",
    "batchgen.planning.groups": "ChangedAlike changed_alike is_text_change text_edits",
    "batchgen.planning.lanes": "Lane",
    "batchgen.planning.periods": "is_calendar",
    "batchgen.planning.plan": "Entry Standing",
    "batchgen.planning.pricing": "Price",
    "batchgen.planning.selection": "JobSelection",
    "batchgen.planning.stages": "Stage",
    "batchgen.planning.undecided": "told_undecided",
    "batchgen.planning.words": "difference",
    "batchgen.reconcile.audit": "Situation Surplus",
    "batchgen.reconcile.billing": "BillingDiff Compared Shown",
    "batchgen.reconcile.rebuild": "Rebuilt",
    "batchgen.reconcile.unowned": "Doubtful",
    "batchgen.rights": "Right",
    "batchgen.scenario.request_log": "Request",
    "batchgen.simulator.exchange": "Call",
    "batchgen.simulator.faults": "Fault FaultPlan",
    "batchgen.simulator.front": "serve",
    "batchgen.simulator.settings": "Denied Limits Outcomes Settings UnknownInputs Views",
    "batchgen.usecases.acceptance": "Kept",
    "batchgen.usecases.arranging": "told_of_files",
    "batchgen.usecases.audience": "Audience",
    "batchgen.usecases.run_end": "RunOutcome",
    "batchgen.usecases.cost": "CostComparison Selection zone_named",
    "batchgen.usecases.cron": "Schedule Scheduler install_texts",
    "batchgen.usecases.export": "Export Exported",
    "batchgen.usecases.findings": "Audit Open",
    "batchgen.usecases.marking": "Marking MarksMade",
    "batchgen.usecases.restore": "GivenBack Restoring",
    "batchgen.usecases.status": "BatchStatus",
    "batchgen.usecases.model_search": "Search describe_models find_models",
    "batchgen.usecases.names": "told_of_names",
    "batchgen.usecases.naming": "NamesFound",
    "batchgen.usecases.plan": "EntryOutlook Outlook",
    "batchgen.usecases.quotes": "Estimated Quoted QuotedClass",
    "batchgen.usecases.rebuild": "Recovery",
    "batchgen.usecases.resolve": "Answers Candidate Desk Unsettled",
    "batchgen.usecases.schema": "bare_schema schema_text",
    "batchgen.usecases.targets": "batch_meant manifest_meant",
    "batchgen.wiring.batch": "Batch",
    "batchgen.wiring.word_lists": "selection_of",
    "batchgen.engine.interrupts": "Interrupts",
    "batchgen.wiring.journals": "JOURNAL_NAME",
    "batchgen.wiring.log_files": "line_file",
    "batchgen.wiring.queues": "QUEUE",
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
