"""What databases, web services and scripts write: JSON, JSON lines, YAML."""

# ruff: noqa: E501 - a sentence stands on one line

from tests.manifest.corpus.member import member

ROWS = "write a mapping of names to values for each row, each after a dash"
BROKEN = "it goes on in the next line: write each object in one line, or one list in a .json file"
NOTHING = "for nothing, and goes out as text; empty the cell"

RECORDS = [
    # JSON lines.
    member(
        "JSON lines", "t.jsonl", '{"prompt": "a mill", "n": 1}\n{"prompt": "a barn"}\n', "a mill", "a barn"
    ),
    member("JSON lines by their other name", "t.ndjson", '{"prompt": "a mill"}\r\n', "a mill"),
    member("CRLF in a value", "t.jsonl", '{"prompt": "a mill\\r\\nat dusk"}\n', "a mill\nat dusk"),
    member(
        "CR in a value, by its number", "t.jsonl", '{"prompt": "a mill\\u000Dat dusk"}\n', "a mill\nat dusk"
    ),
    member(
        "U+2028 in a value, written out and not",
        "t.jsonl",
        '{"prompt": "a\u2028b\\u2028c"}\n',
        "a\u2028b\u2028c",
    ),
    member(
        "CR rows and empty ones",
        "t.jsonl",
        '\r{"prompt": "a mill"}\r\r{"prompt": "a barn"}',
        "a mill",
        "a barn",
    ),
    member("a byte order mark before JSON", "t.jsonl", '\ufeff{"prompt": "a mill"}\n', "a mill"),
    member("JSON lines in UTF-16", "t.jsonl", '{"prompt": "a mill"}\r\n', "a mill", encoding="utf-16"),
    member(
        "texts as lines of JSON",
        "t.jsonl",
        '"a mill"\n"a barn, \\"old\\""\n',
        "a mill",
        'a barn, "old"',
        entry="repeat: 1",
    ),
    member("escapes of other scripts", "t.jsonl", '{"prompt": "\\u6c34\\u8eca \\ud83c\\udfa1"}\n', "水車 🎡"),
    member(
        "other keys in each row",
        "t.jsonl",
        '{"prompt": "a mill", "style": "ink"}\n{"style": "oil", "note": null, "prompt": "a barn"}\n',
        "a mill, ink",
        "a barn, oil",
        entry='prompt: "{prompt}, {style}"',
    ),
    member(
        "lists and mappings as parameters",
        "t.jsonl",
        '{"prompt": "a mill", "p": [1, {"a": "x\\r\\ny"}], "q": 28, "r": false}\n',
        "a mill",
        entry='prompt: "{prompt}", params: {p: "{p}", q: "{q}", r: "{r}"}',
        params=[{"p": [1, {"a": "x\ny"}], "q": 28, "r": False}],
    ),
    member(
        "an error and a word for nothing from a sheet's service",
        "t.jsonl",
        '{"prompt": "a mill #1", "x": "NULL"}\n{"prompt": "#REF!", "x": "y"}\n',
        entry='prompt: "{prompt} {x}"',
        problems=["t.jsonl:2: prompt is #REF!, an error of the spreadsheet; mend it there and save it again"],
        warnings=[f"t.jsonl:1: x is NULL, a database's word {NOTHING}"],
    ),
    member(
        "single quotes of Python",
        "t.jsonl",
        "{'prompt': 'a mill'}\n",
        problems=[
            (
                "t.jsonl:1: is not JSON: Expecting property name enclosed in double quotes at character 2; "
                'names and texts take straight double quotes (")'
            )
        ],
    ),
    member(
        "None of Python",
        "t.jsonl",
        '{"prompt": None}\n',
        problems=[
            (
                "t.jsonl:1: is not JSON: Expecting value at character 12; "
                "write null for nothing, and true or false in small letters"
            )
        ],
    ),
    member(
        "NaN of a data frame",
        "t.jsonl",
        '{"prompt": "a mill", "x": NaN}\n',
        problems=["t.jsonl:1: NaN is not JSON; write a finite number, or null for nothing"],
    ),
    member(
        "an object over several lines",
        "t.jsonl",
        '{\n  "prompt": "a mill"\n}\n',
        problems=[
            f"t.jsonl:1: is not JSON: Expecting property name enclosed in double quotes at character 2; {BROKEN}"
        ],
    ),
    member(
        "one list over several lines",
        "t.jsonl",
        '[\n  {"prompt": "a mill"}\n]\n',
        problems=[f"t.jsonl:1: is not JSON: Expecting value at character 2; {BROKEN}"],
    ),
    member(
        "two objects in a line",
        "t.jsonl",
        '{"prompt": "a"} {"prompt": "b"}\n',
        problems=[
            "t.jsonl:1: is not JSON: Extra data at character 17; nothing may stand behind it, another object goes to the next line"
        ],
    ),
    member(
        "a comma behind the last value",
        "t.jsonl",
        '{"prompt": "a",}\n',
        problems=[
            "t.jsonl:1: is not JSON: Expecting property name enclosed in double quotes at character 16; no comma stands before }"
        ],
    ),
    member(
        "a comment in JSON",
        "t.jsonl",
        '// mills\n{"prompt": "a mill"}\n',
        problems=["t.jsonl:1: is not JSON: Expecting value at character 1; JSON has no comments"],
    ),
    member(
        "a text that is not closed",
        "t.jsonl",
        '{"prompt": "a mill}\n',
        problems=[
            't.jsonl:1: is not JSON: Unterminated string starting at character 12; a text is not closed with "'
        ],
    ),
    member(
        "a quote that is not escaped",
        "t.jsonl",
        '{"prompt": "a "red" mill"}\n',
        problems=[
            (
                "t.jsonl:1: is not JSON: Expecting ',' delimiter at character 16; "
                'a comma is missing, or a quote inside a text, which is written \\"'
            )
        ],
    ),
    member(
        "a list in a line",
        "t.jsonl",
        '["a mill"]\n',
        problems=['t.jsonl:1: is not an object; write {"name": "value", ...}'],
    ),
    member(
        "a number among texts",
        "t.jsonl",
        '"a mill"\n12\n',
        entry="repeat: 1",
        problems=['t.jsonl:2: is not an object; write {"name": "value", ...}'],
    ),
    # JSON.
    member(
        "a list of objects",
        "t.json",
        '[\n  {"prompt": "a mill"},\n  {"prompt": "a barn"}\n]\n',
        "a mill",
        "a barn",
    ),
    member("a list of texts", "t.json", '["a mill", "a barn"]', "a mill", "a barn", entry="repeat: 1"),
    member(
        "a list in an object of a web service",
        "t.json",
        '{"count": 2, "next": null, "results": [{"prompt": "a mill"}, {"prompt": "a barn"}], "o": {"l": []}}',
        "a mill",
        "a barn",
    ),
    member(
        "CRLF and a mark around JSON", "t.json", '\ufeff[\r\n{"prompt": "a\\r\\nmill"}\r\n]\r\n', "a\nmill"
    ),
    member(
        "rows that share a line have their columns",
        "t.json",
        '[{"prompt": "a mill"}, {"prompt": ""}, {"prompt": null}, {}]',
        problems=[
            f"t.json:1:{column}: prompt is empty; where it may be, write {{prompt?}}"
            for column in (24, 40, 58)
        ],
    ),
    member(
        "a comma behind the last row",
        "t.json",
        '[\n{"prompt": "a mill"},\n]',
        problems=["t.json:3:1: is not JSON: Expecting value; no comma stands before ]"],
    ),
    member(
        "a comma that is missing between rows",
        "t.json",
        '[\n{"prompt": "a mill"}\n{"prompt": "a barn"}]',
        problems=[
            (
                "t.json:3:1: is not JSON: Expecting ',' delimiter; a comma is missing, or a quote inside a text, "
                'which is written \\"'
            )
        ],
    ),
    member(
        "JSON lines in a .json",
        "t.json",
        '{"prompt": "a mill"}\n{"prompt": "a barn"}\n',
        problems=[
            "jobs.yaml:4:12: t.json: holds more than one value; name a file with an object in each line .jsonl"
        ],
    ),
    member(
        "an object without a list",
        "t.json",
        '{"prompt": "a mill"}',
        problems=[
            'jobs.yaml:4:12: t.json: is not a list, or an object with one list; write [{"name": "value", ...}, ...]'
        ],
    ),
    member(
        "an object with two lists",
        "t.json",
        '{"a": [], "b": []}',
        problems=[
            (
                "jobs.yaml:4:12: t.json: is not a list, or an object with one list, of which here are a and b; "
                'write [{"name": "value", ...}, ...]'
            )
        ],
    ),
    member(
        "an empty list",
        "t.json",
        "[]",
        problems=["jobs.yaml:4:12: t.json: is empty; write a list of objects"],
    ),
    member(
        "an empty .json",
        "t.json",
        " \n",
        problems=["jobs.yaml:4:12: t.json: is empty; write a list of objects"],
    ),
    member(
        "objects and texts",
        "t.json",
        '[{"prompt": "a mill"},\n"a barn"]',
        problems=["t.json:2: the rows are mappings of names to values, or texts, and not some of each"],
    ),
    member(
        "a key twice",
        "t.json",
        '[{"prompt": "a"},\n{"prompt": "a", "prompt": "b"}]',
        problems=["t.json:2: the key prompt is there twice"],
    ),
    member(
        "a mapping where text is needed",
        "t.json",
        '{"records": [{"id": "rec1", "fields": {"prompt": "a mill"}}]}',
        entry='prompt: "{fields}"',
        problems=[
            "t.json:1: prompt: fields is a mapping: it can be the whole of a parameter, no part of a text"
        ],
    ),
    member(
        "objects and no prompt",
        "t.json",
        '[{"text": "a mill"}]',
        "",  # no prompt: whether that will do is the model's to say
        entry="repeat: 1",
        params=[{}],
    ),
    # YAML.
    member("a YAML list", "t.yaml", "- {prompt: a mill}\n- prompt: a barn\n", "a mill", "a barn"),
    member(
        "a YAML list of texts",
        "t.yml",
        "- a mill\n- 'a barn: old'\n- no\n",
        "a mill",
        "a barn: old",
        "no",
        entry="repeat: 1",
    ),
    member(
        "a block text with CRLF", "t.yaml", "- prompt: |\r\n    a mill\r\n    at dusk\r\n", "a mill\nat dusk"
    ),
    member(
        "anchors beside the rows",
        "t.yaml",
        "ink: &ink {style: ink}\nrows:\n  - {<<: *ink, prompt: a mill}\n",
        "a mill, ink",
        entry='prompt: "{prompt}, {style}"',
    ),
    member(
        "anchors among the rows",
        "t.yaml",
        "- &m {prompt: a mill, style: ink}\n- {<<: *m, prompt: a barn}\n",
        "a mill, ink",
        "a barn, ink",
        entry='prompt: "{prompt}, {style}"',
    ),
    member(
        "nested values",
        "t.yaml",
        "- prompt: a mill\n  size: {w: 512, h: [1, 2]}\n",
        "a mill",
        entry='prompt: "{prompt}", params: {size: "{size}"}',
        params=[{"size": {"w": 512, "h": [1, 2]}}],
    ),
    member(
        "a row over several lines", "t.yaml", "-\n  prompt: >\n    a mill\n    at dusk\n", "a mill at dusk"
    ),
    member(
        "a number among the texts of a list",
        "t.yaml",
        "- a mill\n- 12\n",
        entry="repeat: 1",
        problems=[
            (
                "t.yaml:2: expected a mapping of names to values, or a text, not a number; "
                "text that looks like a number needs quotes"
            )
        ],
    ),
    member(
        "a mapping without a list",
        "t.yaml",
        "prompt: a mill\n",
        problems=[f"jobs.yaml:4:12: t.yaml: is not a list; {ROWS}"],
    ),
    member(
        "an empty value of YAML",
        "t.yaml",
        "- {prompt: a mill}\n- {prompt: }\n- {prompt: ~}\n",
        problems=[f"t.yaml:{line}: prompt is empty; where it may be, write {{prompt?}}" for line in (2, 3)],
    ),
    # Databases and data frames, as CSV.
    member("an index without a name, dropped", "t.csv", ",prompt\n,a mill\n,a barn\n", "a mill", "a barn"),
    *(
        member(
            f"{word} in a cell",
            "t.csv",
            f"prompt,x\na mill,{word}\n",
            f"a mill, {word}",
            entry='prompt: "{prompt}, {x}"',
            warnings=[f"t.csv:2: x is {word}, {whose} {NOTHING}"],
        )
        for word, whose in (
            ("NULL", "a database's word"),
            ("\\N", "a database's mark"),
            ("NaN", "a program's word"),
            ("None", "Python's word"),
            ("undefined", "JavaScript's word"),
            ("[object Object]", "JavaScript's word"),
        )
    ),
    member("a word for nothing in a text", "t.csv", "prompt\nNone of the mills\n", "None of the mills"),
    member(
        "rows with ids and columns of no use",
        "t.csv",
        'id,created_at,prompt,attachments\nrecA1,2026-01-31T10:00:00.000Z,a mill,"x.png (https://example.com/x.png),y.png"\n',
        "a mill",
    ),
]
