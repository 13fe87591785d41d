"""The way in: words of the command line to an exit status."""

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    from batchgen.cli.main import run  # noqa: PLC0415 - the import is part of the start-up time

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
