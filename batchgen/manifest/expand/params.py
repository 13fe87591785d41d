"""The parameters of the entries of one file: read, checked and laid over the default ones."""

from collections.abc import Callable, Collection, Mapping
from functools import partial

from batchgen.manifest.expand.checks import Checks
from batchgen.manifest.origins import Path
from batchgen.manifest.parameters import idle_nulls, merged, with_environment, wrong_in, wrong_inputs
from batchgen.manifest.tables.files import Filing
from batchgen.manifest.tables.table import Table
from batchgen.manifest.trees import Tree, tree_of
from batchgen.model import Json

_DEFAULTS: Path = ("defaults", "params")
_NONE: frozenset[str] = frozenset()


class Params:
    """Reads the parameters of entries, and notes what is wrong with them.

    Args:
        checks: takes what is wrong.
        filing: looks at local files.
        environ: what ``${NAME}`` is looked up in.
        defaults: those of the file.
        bound: the variables of the file.
    """

    def __init__(
        self,
        checks: Checks,
        filing: Filing,
        environ: Mapping[str, str],
        defaults: dict[str, Json],
        bound: Mapping[str, Json],
    ) -> None:
        self._checks = checks
        self._filing = filing
        self._environ = environ
        self._bound = bound
        self._plain: Tree | None = None  # of the entries with nothing of their own
        checks.nulls(_DEFAULTS, idle_nulls(defaults, None))
        self._defaults = merged({}, self.read(_DEFAULTS, defaults, bound))

    def read(self, path: Path, params: dict[str, Json], bound: Mapping[str, Json]) -> dict[str, Json]:
        """Return parameters with the environment in their paths, what is wrong with them noted.

        Args:
            path: where they stand.
            params: as they are written.
            bound: the variables that have one value for all jobs.
        """
        if not params:
            return params
        try:
            made: dict[str, Json] = with_environment(params, self._environ)
        except ValueError as error:
            self._checks.note(path, f"params: {error}")
            return params
        wrong = [*wrong_in(made, bound)]
        if not wrong:
            wrong = [*wrong_inputs(made, self._filing, bound)]
        for one in wrong:
            note = self._checks.note_key if one.name else self._checks.note
            note((*path, *one.path), one.text)
        return made

    def tree(
        self,
        path: Path,
        params: dict[str, Json],
        table: Table | None,
        exact: Collection[str],
        bound: Mapping[str, Json],
    ) -> Tree:
        """Lay parameters over the default ones; entries with nothing of their own share one value.

        Args:
            path: where they stand.
            params: of an entry, as they were read.
            table: of the entry.
            exact: names of variables that end in a ``?`` themselves.
            bound: the variables that have one value for all jobs.
        """
        cells = _NONE if table is None else table.cells
        own = params or cells or exact or bound is not self._bound
        if not own and self._plain is not None:
            return self._plain
        shaping = partial(tree_of, cells=cells, bound=bound, filer=self._filing, exact=exact)
        laid = merged(self._defaults, params)
        try:
            tree = shaping(laid)
        except ValueError:
            self._note_values(path, params, laid, shaping)
            return tree_of({})
        if not own:
            self._plain = tree
        return tree

    def _note_values(
        self, path: Path, own: Mapping[str, Json], laid: Mapping[str, Json], shaping: Callable[[Json], Tree]
    ) -> None:
        """Note the parameters in which a variable of the file or the entry holds what cannot be sent."""
        for name, value in laid.items():
            try:
                shaping(value)
            except ValueError as error:
                self._checks.note((*(path if name in own else _DEFAULTS), name), f"params.{name}: {error}")
