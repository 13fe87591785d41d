"""Import what `batchgen export` lists in a mapping into an Unreal project, again only where it changed.

In the editor:  py import_unreal.py art/icons/batchgen.json /Game/Icons
"""

import json
import re
import sys
from pathlib import Path, PurePosixPath

import unreal

FORMAT = "batchgen/mapping@1"
TAGS = ("job", "asset_id", "tags", "sha256")


def asset_path(row: dict, root: str) -> str:
    """Return the path of a row's asset: what no asset may be called becomes _."""
    path = PurePosixPath(row["path"])
    parts = [re.sub(r"\W", "_", part, flags=re.ASCII) for part in (*path.parts[:-1], path.stem)]
    return "/".join((root.rstrip("/"), *parts))


def task_for(file: Path, asset: str) -> unreal.AssetImportTask:
    """Return what imports a file as an asset, in the place of one that is there."""
    task = unreal.AssetImportTask()
    folder, _, name = asset.rpartition("/")
    settings = {"filename": str(file), "destination_path": folder, "destination_name": name}
    settings |= {"automated": True, "replace_existing": True, "save": True}
    for key, value in settings.items():
        task.set_editor_property(key, value)
    return task


def has_bytes(asset: str, row: dict) -> bool:
    """Return whether an asset was made of just this file."""
    library = unreal.EditorAssetLibrary
    if not library.does_asset_exist(asset):
        return False
    return library.get_metadata_tag(library.load_asset(asset), "batchgen.sha256") == row["sha256"]


def main(mapping: Path, root: str) -> None:
    """Import what a mapping lists below a folder of the project."""
    document = json.loads(mapping.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise SystemExit(f"{mapping} is not a mapping of batchgen export")
    wanted: dict[str, dict] = {}
    for row in document["files"]:
        other = wanted.setdefault(asset_path(row, root), row)
        if other is not row:
            raise SystemExit(f"{other['path']} and {row['path']} would both be {asset_path(row, root)}")
    changed = {asset: row for asset, row in wanted.items() if not has_bytes(asset, row)}
    tasks = [task_for(mapping.parent.resolve() / row["path"], asset) for asset, row in changed.items()]
    unreal.AssetToolsHelpers.get_asset_tools().import_asset_tasks(tasks)
    library = unreal.EditorAssetLibrary
    for asset, row in changed.items():
        if (imported := library.load_asset(asset)) is None:
            unreal.log_warning(f"{row['path']} was not imported")
            continue
        for tag in TAGS:
            library.set_metadata_tag(imported, f"batchgen.{tag}", str(row[tag]))
        library.save_asset(asset)
    unreal.log(f"{len(changed)} of {len(wanted)} files imported")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
