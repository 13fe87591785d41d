"""Texts with a prompt in each line, and prompts in files of their own."""

# ruff: noqa: E501 - a sentence stands on one line

from tests.manifest.corpus.member import member

NO_FROM = ""
MEANT = "repeat: 2 in an entry of its own, or seed: none, says that it is meant"

TEXTS = [
    member("a text with CRLF", "t.txt", "a mill\r\na barn\r\n", "a mill", "a barn", entry=NO_FROM),
    member("a text with CR alone", "t.txt", "a mill\ra barn\r", "a mill", "a barn", entry=NO_FROM),
    member(
        "a text with all ends",
        "t.txt",
        "a mill\r\n\ra barn\n\n\ra ford",
        "a mill",
        "a barn",
        "a ford",
        entry=NO_FROM,
    ),
    member("a text with a mark", "t.txt", "\ufeffa mill\n", "a mill", entry=NO_FROM),
    member(
        "a text of Notepad",
        "t.txt",
        "a mill\r\na Mühle\r\n",
        "a mill",
        "a Mühle",
        entry=NO_FROM,
        encoding="utf-16",
    ),
    member(
        "separators that end no line",
        "t.txt",
        "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n",
        "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg",
        entry=NO_FROM,
    ),
    member("lines of space", "t.txt", "\n  \n\t\na mill\n\u00a0\n", "a mill", entry=NO_FROM),
    member(
        "commas and quotes in a line",
        "t.txt",
        'a "red", sleepy mill\n',
        'a "red", sleepy mill',
        entry=NO_FROM,
    ),
    member("braces in a line", "t.txt", "a {tower}\n", "a {tower}", entry=NO_FROM),
    member(
        "a line in a prompt",
        "t.txt",
        "a mill\n",
        "a mill, as a woodcut",
        entry='prompt: "{line}, as a woodcut"',
    ),
    member("a very long line", "t.txt", "a mill " * 30_000, ("a mill " * 30_000).strip(), entry=NO_FROM),
    member(
        "a header in a text",
        "t.txt",
        "Prompt\na mill\n",
        "Prompt",
        "a mill",
        entry=NO_FROM,
        warnings=[
            't.txt:1: a .txt file has no header: "Prompt" is a prompt; delete the line, or save a .csv file'
        ],
    ),
    member(
        "comments in a text",
        "t.txt",
        "# mills\na mill\n// barns\n#sunset\n",
        "# mills",
        "a mill",
        "// barns",
        "#sunset",
        entry=NO_FROM,
        warnings=[
            f"t.txt:{line}: every line is a prompt, this one too; delete it if it is a comment"
            for line in (1, 3)
        ],
    ),
    member(
        "a table in a text",
        "t.txt",
        "n\tprompt\n1\ta mill\n",
        "n\tprompt",
        "1\ta mill",
        entry=NO_FROM,
        warnings=[
            "t.txt:1: every line has tabs, as a table has; name the file .tsv if its first line names the columns"
        ],
    ),
    member(
        "a line twice",
        "t.txt",
        "a mill\na barn\n a mill \r\n",
        "a mill",
        "a barn",
        "a mill",
        entry=NO_FROM,
        warnings=[
            (
                "t.txt:3: asks for the same as line 1, so the same job is bought twice; "
                f"delete one of them ({MEANT})"
            )
        ],
    ),
    member(
        "an error in a text",
        "t.txt",
        "a mill\n#NAME?\n",
        entry=NO_FROM,
        problems=["t.txt:2: line is #NAME?, an error of the spreadsheet; mend it there and save it again"],
    ),
    member(
        "nothing but space",
        "t.txt",
        " \r\n\r\n",
        entry=NO_FROM,
        problems=["jobs.yaml:4:12: t.txt: is empty; every line is a prompt"],
    ),
    member(
        "Windows-1252 in a text",
        "t.txt",
        "a mill\ra café at noon\r",
        entry=NO_FROM,
        encoding="cp1252",
        problems=['t.txt:2:6: the byte 0xe9 is not UTF-8, in Windows-1252 it is "é"; save the file as UTF-8'],
    ),
    *(
        member(
            f"a prompt in a file, {what}",
            "p.txt",
            text,
            prompt,
            entry="prompt: {file: p.txt}",
            encoding=encoding,
        )
        for what, text, encoding, prompt in (
            ("LF", "a mill\nat dusk\n", "utf-8", "a mill\nat dusk"),
            ("CRLF", "a mill\r\nat dusk\r\n", "utf-8", "a mill\nat dusk"),
            ("CR", "a mill\rat dusk\r", "utf-8", "a mill\nat dusk"),
            ("all ends", "a\r\n\rb\n\rc", "utf-8", "a\n\nb\n\nc"),
            ("U+2028", "a mill\u2028at dusk", "utf-8", "a mill\u2028at dusk"),
            ("a mark", "\ufeffa mill", "utf-8", "a mill"),
            ("UTF-16", "a mill\r\nat dusk", "utf-16", "a mill\nat dusk"),
        )
    ),
]
