@tool
extends EditorScript
## Sets how what `batchgen export` put into the project is imported, and writes a catalogue of it.
## Change MAPPING to where the mapping lies, and choose File > Run in the script editor.

const MAPPING := "res://icons/batchgen.json"
const FORMAT := "batchgen/mapping@1"
const SETTINGS := {"mipmaps/generate": false, "compress/mode": 0}


func _run() -> void:
	var mapping: Variant = JSON.parse_string(FileAccess.get_file_as_string(MAPPING))
	if not (mapping is Dictionary) or mapping.get("format") != FORMAT:
		push_error("%s is not a mapping of batchgen export" % MAPPING)
		return
	var folder := MAPPING.get_base_dir()
	var changed := PackedStringArray()
	var paths := {}
	for row: Dictionary in mapping["files"]:
		var path := folder.path_join(row["path"])
		if row["index"] == 0:
			paths[row["job"]] = path
		if row["kind"] == "image" and _set_up(path):
			changed.append(path)
	if not changed.is_empty():
		EditorInterface.get_resource_filesystem().reimport_files(changed)
	_write_catalogue(folder.path_join("catalogue.gd"), paths)
	print("%d jobs in the catalogue, %d pictures imported again" % [paths.size(), changed.size()])


func _set_up(path: String) -> bool:
	var config := ConfigFile.new()
	if config.load(path + ".import") != OK:
		push_warning("%s is not imported yet: let Godot do so, and run this again" % path)
		return false
	var is_changed := false
	for key: String in SETTINGS:
		if config.get_value("params", key) != SETTINGS[key]:
			config.set_value("params", key, SETTINGS[key])
			is_changed = true
	return is_changed and config.save(path + ".import") == OK


func _write_catalogue(path: String, paths: Dictionary) -> void:
	var file := FileAccess.open(path, FileAccess.WRITE)
	file.store_string(
		"# made by batchgen_import.gd\nconst PATHS := %s\n" % JSON.stringify(paths, "\t")
	)
