"""What spreadsheets save, and what becomes of it between two of them."""

# ruff: noqa: E501, RUF001 - a sentence stands on one line, and scripts have letters that look alike

from tests.manifest.corpus.member import member

ERROR = "an error of the spreadsheet; mend it there and save it again"
MEANT = "repeat: 2 in an entry of its own, or seed: none, says that it is meant"

SPREADSHEETS = [
    # Line ends: none of them makes another job.
    member("CRLF rows", "t.csv", "prompt\r\na mill\r\na barn\r\n", "a mill", "a barn"),
    member("CR rows, as old Macs", "t.csv", "prompt\ra mill\ra barn\r", "a mill", "a barn"),
    member("mixed ends", "t.csv", "prompt\r\na mill\ra barn\na ford", "a mill", "a barn", "a ford"),
    member("CRLF in a quoted cell", "t.csv", 'prompt\r\n"a mill\r\nat dusk"\r\n', "a mill\nat dusk"),
    member("LF in a cell of CRLF rows", "t.csv", 'prompt\r\n"a mill\nat dusk"\r\n', "a mill\nat dusk"),
    member("CR in a quoted cell", "t.csv", 'prompt\n"a mill\rat dusk"\n', "a mill\nat dusk"),
    member("no end of the last line", "t.csv", "id,prompt\n1,a mill", "a mill"),
    member("U+2028 in a cell", "t.csv", "prompt\na mill\u2028at dusk\n", "a mill\u2028at dusk"),
    member("NEL, VT and FF in a cell", "t.csv", "prompt\na\x85b\x0bc\x0cd\n", "a\x85b\x0bc\x0cd"),
    member(
        "empty lines around and between", "t.csv", "\n\nprompt\n\na mill\n\n\na barn\n\n", "a mill", "a barn"
    ),
    # Encodings.
    member("a byte order mark", "t.csv", "\ufeffprompt\na mill\n", "a mill"),
    member("a mark before a quoted header", "t.csv", '\ufeff"prompt","n"\n"a mill","1"\n', "a mill"),
    member("Unicode text of Excel", "t.tsv", "n\tprompt\r\n1\ta Mühle\r\n", "a Mühle", encoding="utf-16"),
    member("UTF-16 of the other order", "t.csv", "\ufeffprompt\na mill\n", "a mill", encoding="utf-16-be"),
    member("UTF-32", "t.csv", "prompt\na mill\n", "a mill", encoding="utf-32"),
    member(
        "Unicode text of Excel under its own name",
        "t.txt",
        "n\tprompt\r\n1\ta mill\r\n",
        encoding="utf-16",
        problems=[
            't.txt:1: is a table of Excel ("Unicode text"), in which each line is no prompt; name it .tsv'
        ],
    ),
    member(
        "UTF-16 without a mark",
        "t.csv",
        "prompt\r\na mill\r\n",
        encoding="utf-16-le",
        problems=["t.csv:1:1: is UTF-16 without a byte order mark; save it as UTF-8"],
    ),
    member(
        "Windows-1252",
        "t.csv",
        "n,prompt\r\n1,a mill\r\n2,a café in Paris\r\n",
        encoding="cp1252",
        problems=[
            (
                't.csv:3:8: the byte 0xe9 is not UTF-8, in Windows-1252 it is "é"; '
                'save the file as UTF-8 (in Excel: "CSV UTF-8")'
            )
        ],
    ),
    member(
        "the curly quotes of Windows-1252",
        "t.csv",
        "prompt\na “mill”\n",
        encoding="cp1252",
        problems=[
            (
                't.csv:2:3: the byte 0x93 is not UTF-8, in Windows-1252 it is "“"; '
                'save the file as UTF-8 (in Excel: "CSV UTF-8")'
            )
        ],
    ),
    member(
        "Windows-1251",
        "t.csv",
        "prompt\nмельница у реки на закате\n",
        encoding="cp1251",
        problems=[
            (
                "t.csv:2:1: the byte 0xec is not UTF-8, so the file has an older encoding; "
                'save the file as UTF-8 (in Excel: "CSV UTF-8")'
            )
        ],
    ),
    member(
        "a file cut short",
        "t.csv",
        "prompt\nein Müller, 猫".encode()[:-1],
        problems=[
            "t.csv:2:13: the file ends in the middle of a character, so a part of it is missing; save it again"
        ],
    ),
    # Delimiters.
    member("semicolons", "t.csv", "n;prompt\r\n1;a mill, old\r\n", "a mill, old"),
    member(
        "semicolons and decimal commas",
        "t.csv",
        "prompt;s\na mill;0,5\n",
        "a mill 0,5",
        entry='prompt: "{prompt} {s}"',
    ),
    member("a first line sep=;", "t.csv", "sep=;\r\nn;prompt\r\n1;a mill\r\n", "a mill"),
    member(
        "a first line sep=, in quotes",
        "t.csv",
        '"sep=,"\nprompt;n,m\na;b,2\n',
        "a;b",
        entry='prompt: "{prompt;n}"',
    ),
    member(
        "a separator of one's own", "t.csv", "sep=^\nn^prompt\n1^a mill, old; or so\n", "a mill, old; or so"
    ),
    member("tabs in a .csv", "t.csv", "n\tprompt\n1\ta mill, old\n", "a mill, old"),
    member("tabs in a .tsv", "t.tsv", "n\tprompt\n1\ta mill, old\n", "a mill, old"),
    member("commas in a .tsv", "t.tsv", 'n,prompt\n1,"a mill, old"\n', "a mill, old"),
    member("pipes", "t.csv", "n|prompt\n1|a mill, old\n", "a mill, old"),
    member("a comma in a header of semicolons", "t.csv", "prompt;size (w, h)\na mill;1 x 2\n", "a mill"),
    member("one column with semicolons below", "t.csv", "prompt\na mill; old\n", "a mill; old"),
    member(
        "a row of semicolons below commas",
        "t.csv",
        "n,prompt\n1,a mill\n2;a barn\n",
        problems=[
            "t.csv:3: has 1 cell, the header has 2; its cells are separated by semicolons, those of the header by commas"
        ],
    ),
    # Quotes.
    member(
        "space before quotes",
        "t.csv",
        'n, prompt\n1, "a red mill"\n2, "two, words"\n',
        "a red mill",
        "two, words",
    ),
    member("space behind quotes", "t.csv", 'n,prompt\n"1" ,"a mill, old" \n', "a mill, old"),
    member("a tab before quotes", "t.csv", 'n,prompt\n1,\t"a mill, old"\n', "a mill, old"),
    member("a no-break space before quotes", "t.csv", 'n,prompt\n1,\u00a0"a mill, old"\n', "a mill, old"),
    member("quotes inside quotes", "t.csv", 'prompt\n"a sign: ""open"""\n', 'a sign: "open"'),
    member("inches", "t.csv", 'prompt,n\na 5" nail,1\n', 'a 5" nail'),
    member("single quotes are text", "t.csv", "prompt\n'a mill'\n", "'a mill'"),
    member("an empty cell in quotes", "t.csv", 'prompt,n\na mill,""\n', "a mill"),
    member("all in quotes", "t.csv", '"n","prompt"\r\n"1","a mill"\r\n', "a mill"),
    member(
        "a quote that is not closed",
        "t.csv",
        'n,prompt\n1,a mill\n2,"a barn\n3,a ford\n',
        problems=[
            't.csv:3:3: a quote opens here and is not closed; write " behind the text, and "" for a quote inside it'
        ],
    ),
    member(
        "a quote that the next one closes",
        "t.csv",
        'n,prompt\n1,"a barn\n2,"a ford"\n',
        problems=[
            "t.csv:2:3: a quote opens here and is closed in line 3 only, with text behind it; is one missing?"
        ],
    ),
    member(
        "a quote that is not doubled",
        "t.csv",
        'prompt\n"a "red" mill"\n',
        problems=['t.csv:2:4: a quote inside a quoted cell; write it twice ("")'],
    ),
    member(
        "curly quotes",
        "t.csv",
        "n,prompt\n1,“a mill, old”\n",
        problems=[
            (
                't.csv:2:12: has 3 cells, the header has 2, so "old”" is too much; '
                'curly quotes are text; write straight ones around it: "..."'
            )
        ],
    ),
    member(
        "single quotes around a comma",
        "t.csv",
        "n,prompt\n1,'a mill, old'\n",
        problems=[
            (
                """t.csv:2:12: has 3 cells, the header has 2, so "old'" is too much; """
                'single quotes are text; write double ones around it: "..."'
            )
        ],
    ),
    # Ragged rows.
    member(
        "a comma without quotes",
        "t.csv",
        "n,prompt,style\n1,a red, sleepy mill,ink\n",
        problems=[
            (
                't.csv:2:22: has 4 cells, the header has 3, so "ink" is too much; '
                'text with a comma needs quotes: "a red, sleepy mill"'
            )
        ],
    ),
    member(
        "a decimal comma",
        "t.csv",
        "prompt,strength\na mill,0,75\n",
        problems=[
            (
                't.csv:2:10: has 3 cells, the header has 2, so "75" is too much; '
                'is 0,75 a decimal comma? write 0.75, or "0,75" for text'
            )
        ],
    ),
    member(
        "a cell that is missing",
        "t.csv",
        "n,prompt,style\n1,a mill\n",
        problems=[
            (
                "t.csv:2: has 2 cells, the header has 3; write 1,a mill, if the others are empty, "
                "or quotes around the text above if this belongs to it"
            )
        ],
    ),
    member(
        "a comment",
        "t.csv",
        "n,prompt\n# barns\n1,a barn\n",
        problems=["t.csv:2: has 1 cell, the header has 2; a table has no comments; delete the line"],
    ),
    member("too many cells, but empty", "t.csv", "n,prompt\n1,a mill,,\n2,a barn\n", "a mill", "a barn"),
    # Empty columns and rows.
    member("an empty header at the end", "t.csv", "n,prompt,\n1,a mill,\n2,a barn,\n", "a mill", "a barn"),
    member("an empty header, shorter rows", "t.csv", "n,prompt,,\n1,a mill\n2,a barn,\n", "a mill", "a barn"),
    member("an empty column between", "t.csv", "n,,prompt\n1,,a mill\n", "a mill"),
    member("rows of commas", "t.csv", "n,prompt\n1,a mill\n,\n , \n,\n", "a mill"),
    member("rows of empty quotes", "t.csv", 'n,prompt\n"",""\n1,a mill\n', "a mill"),
    member("no-break space as an empty cell", "t.csv", "n,prompt\n1,a mill\n\u00a0,\u00a0\n", "a mill"),
    member(
        "text under no name",
        "t.csv",
        ",prompt,\n0,a mill,\n1,a barn,x\n",
        problems=[
            't.csv:1:1: column 1 has no name, and a text in line 2 ("0"); name it in the header, or delete the column',
            't.csv:1:9: column 3 has no name, and a text in line 3 ("x"); name it in the header, or delete the column',
        ],
    ),
    member("an empty cell that is not used", "t.csv", "prompt,note\na mill,\na barn,x\n", "a mill", "a barn"),
    member(
        "an optional column",
        "t.csv",
        "prompt,negative,note\na mill,,\na barn,fog,x\na ford,\u00a0,\n",
        "a mill",
        "a barn",
        "a ford",
        entry='prompt: "{prompt}", params: {negativePrompt: "{negative?}"}',
        params=[{}, {"negativePrompt": "fog"}, {}],
    ),
    # Headers.
    member("a no-break space at a header", "t.csv", "n,\u00a0prompt\u00a0\n1,a mill\n", "a mill"),
    member("a zero-width space at a header", "t.csv", "n,\u200bprompt\n1,a mill\n", "a mill"),
    member(
        "a header of two words", "t.csv", "n,the prompt\n1,a mill\n", "a mill", entry='prompt: "{the prompt}"'
    ),
    member("a header of another script", "t.csv", "n,提示\n1,a mill\n", "a mill", entry='prompt: "{提示}"'),
    member(
        "a header of another case",
        "t.csv",
        "N,Prompt\n1,a mill\n",
        problems=["jobs.yaml:4:27: unknown variable {prompt}; did you mean Prompt?"],
    ),
    member(
        "two equal headers",
        "t.csv",
        "prompt,n,prompt\na,1,b\n",
        problems=["t.csv:1:10: the column prompt is there 2 times; rename one"],
    ),
    member(
        "the header again",
        "t.csv",
        "n,prompt\n1,a mill\nn,prompt\n2,a barn\n",
        problems=["t.csv:3: is the header again, which is in line 1; delete this line"],
    ),
    member(
        "two files joined, with their marks",
        "t.csv",
        "\ufeffn,prompt\r\n1,a mill\r\n\ufeffn,prompt\r\n2,a barn\r\n",
        problems=["t.csv:3: is the header again, which is in line 1; delete this line"],
    ),
    member("a header over two lines, not used", "t.csv", "prompt,n\na mill,1\n", "a mill"),
    # Errors and other things that are no prompts.
    member("#REF!", "t.csv", "prompt\na mill\n#REF!\n", problems=[f"t.csv:3: prompt is #REF!, {ERROR}"]),
    member(
        "the errors of Excel, by their rows",
        "t.csv",
        "prompt\n#N/A\n#VALUE!\n#NAME?\n",
        problems=[
            f"t.csv:{line}: prompt is {one}, {ERROR}"
            for line, one in [(2, "#N/A"), (3, "#VALUE!"), (4, "#NAME?")]
        ],
    ),
    member(
        "many errors",
        "t.csv",
        "prompt\n"
        + "".join(f"{one}\n" for one in ("#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!")),
        problems=[
            f"t.csv:2: prompt is #DIV/0!, {ERROR}",
            f"t.csv:3: prompt is #NULL!, {ERROR}",
            f"t.csv:4: prompt is #NUM!, {ERROR}",
            "t.csv:5: and 3 more rows like this (lines 5-7)",
        ],
    ),
    *(
        member(
            f"the error {one}",
            "t.csv",
            f"n;prompt\n1;{one}\n",
            problems=[f"t.csv:2: prompt is {one}, {ERROR}"],
        )
        for one in (
            "#NV",
            "#WERT!",
            "#BEZUG!",
            "#ÜBERLAUF!",
            "#VALEUR!",
            "#NOM?",
            "#¡REF!",
            "#¿NOMBRE?",
            "#¡DIV/0!",
            "#N/D",
            "#VERW!",
            "#DEEL/0!",
            "#ВЫЧИСЛ!",
            "#ВЫЧИСЛ",
            "#ССЫЛКА!",
            "#Н/Д",
            "#ЗНАЧ!",
            "#ARG!",
            "#DZIEL/0!",
            "#I/T",
            "#ERROR!",
            "Err:502",
            "Fehler:508",
            "#####",
            "#GETTING_DATA",
            "#DĚLENÍ_NULOU!",
            "#BAŞV!",
            "#ÉRTÉK!",
        )
    ),
    member("an error that is not used", "t.csv", "prompt,n\na mill,#REF!\n", "a mill"),
    member(
        "what only begins like an error",
        "t.csv",
        "prompt\n#sunset\n#REF! in red\nroom #12\n#ff0000\nErr:502 on a screen\n#1!\n",
        "#sunset",
        "#REF! in red",
        "room #12",
        "#ff0000",
        "Err:502 on a screen",
        "#1!",
    ),
    member(
        "an error in a parameter",
        "t.csv",
        "prompt,w\na mill,#NUM!\n",
        entry='prompt: "{prompt}", params: {w: "{w}"}',
        problems=[f"t.csv:2: w is #NUM!, {ERROR}"],
    ),
    member(
        "two equal rows",
        "t.csv",
        "n,prompt\n1,a mill\n2,a barn\n3,a mill\n",
        "a mill",
        "a barn",
        "a mill",
        warnings=[
            (
                "t.csv:4: asks for the same as line 2, so the same job is bought twice; "
                f"delete one of them ({MEANT})"
            )
        ],
    ),
    member(
        "rows that are equal once space and ends are gone",
        "t.csv",
        'prompt\n a mill\n"a mill"\n"a\r\nbarn"\n"a\nbarn"\n',
        "a mill",
        "a mill",
        "a\nbarn",
        "a\nbarn",
        warnings=[
            (
                "t.csv:3: 2 jobs ask for the same as an earlier one, and each is bought again: line 3 as line 2, "
                f"line 6 as line 4; delete them ({MEANT})"
            )
        ],
    ),
    # Cells are text, spelled as they are.
    member(
        "numbers",
        "t.csv",
        "prompt\n007\n1,5\n1e3\n12.50\n+49 30 1234\n0x1F\n1_000\n".replace("1,5", '"1,5"'),
        "no 007",
        "no 1,5",
        "no 1e3",
        "no 12.50",
        "no +49 30 1234",
        "no 0x1F",
        "no 1_000",
        entry='prompt: "no {prompt}"',
    ),
    member(
        "what looks like a formula",
        "t.csv",
        "prompt\n=A1+B2\n+49\n-5\n@home\n",
        "=A1+B2",
        "+49",
        "-5",
        "@home",
    ),
    member(
        "booleans and dates",
        "t.csv",
        "prompt\nTRUE\nfalse\n2026-01-31\n31.01.2026\n1/31/26 14:05\n",
        "TRUE",
        "false",
        "2026-01-31",
        "31.01.2026",
        "1/31/26 14:05",
    ),
    member(
        "numbers as parameters",
        "t.csv",
        "prompt,n,x,b,d\na mill,28,0.50,TRUE,2026-01-31\n",
        "a mill",
        entry='prompt: "{prompt}", params: {n: "{n}", x: "{x}", b: "{b}", d: "{d}"}',
        params=[{"n": 28, "x": 0.5, "b": True, "d": "2026-01-31"}],
    ),
    member(
        "percent and money", "t.csv", 'prompt\n50 %\n"$1,200.00"\n1.200 €\n', "50 %", "$1,200.00", "1.200 €"
    ),
    member(
        "a very long cell", "t.csv", f'n,prompt\n1,"{"a mill, " * 20_000}"\n', ("a mill, " * 20_000).strip()
    ),
    member("braces in a cell", "t.csv", "prompt\na {red} mill }}\n", "a {red} mill }}"),
    member(
        "markup and escapes are text",
        "t.csv",
        "prompt\n<b>a mill</b> &amp; \\n barn\n",
        "<b>a mill</b> &amp; \\n barn",
    ),
    member(
        "the workbook itself",
        "t.csv",
        b"PK\x03\x04\x14\x00\x06\x00",
        problems=[
            'jobs.yaml:4:12: t.csv: is a workbook or an archive, not text; save the sheet as a .csv file (in Excel: "CSV UTF-8")'
        ],
    ),
    member(
        "the workbook by its name",
        "t.xlsx",
        b"PK\x03\x04",
        problems=[
            'jobs.yaml:4:12: t.xlsx: is a workbook; save the sheet as a .csv file (in Excel: "CSV UTF-8"), and name that'
        ],
    ),
    member(
        "an old workbook",
        "t.csv",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        problems=[
            'jobs.yaml:4:12: t.csv: is a workbook, not text; save the sheet as a .csv file (in Excel: "CSV UTF-8")'
        ],
    ),
    member(
        "the page to sign in",
        "t.csv",
        "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
        problems=["jobs.yaml:4:12: t.csv: is a web page, not a table; was it downloaded without signing in?"],
    ),
    member(
        "an empty file",
        "t.csv",
        "",
        problems=["jobs.yaml:4:12: t.csv: is empty; the first line names the columns"],
    ),
    member(
        "nothing but a header",
        "t.csv",
        "n,prompt\r\n",
        problems=["jobs.yaml:4:12: t.csv: has a header and no rows"],
    ),
    # Scripts of the world.
    *(
        member(f"text in {script}", "t.csv", f"n,prompt\r\n1,{text}\r\n", text)
        for script, text in (
            ("Japanese, with full-width marks", "夕暮れの水車小屋、水彩画。「静か」"),
            ("Chinese", "黄昏的磨坊\uff0c水墨画。"),
            ("Korean", "해질녘의 물레방아"),
            ("Arabic, from right to left", "طاحونة قديمة عند الغروب، ألوان مائية"),
            ("Hebrew with a mark of direction", "\u200fטחנה ישנה\u200e (oil)"),
            ("Hindi", "सूर्यास्त में पुरानी चक्की"),
            ("Thai", "โรงสีเก่ายามพระอาทิตย์ตก"),
            ("emoji joined to one", "a family 👩‍👩‍👧‍👦 and a flag 🏳️‍🌈 by a mill"),
            ("accents of their own", "cafe\u0301 au lait s'il vous plai\u0302t"),
            ("Vietnamese", "cối xay gió lúc hoàng hôn"),
            ("full-width letters", "Ａ　ＭＩＬＬ：１２３"),
            ("letters beyond the first plane", "𝔞 mill 𠮷"),
        )
    ),
]
