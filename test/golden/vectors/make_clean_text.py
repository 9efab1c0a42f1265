"""MiniOneRec's own clean_text on texts of every edge, for test/embed/item-texts.test.ts.

    python test/golden/vectors/make_clean_text.py PATH/TO/MiniOneRec/rq/text2emb/utils.py

Takes the function alone out of that file and writes clean-text.json beside itself.
"""
import ast
import html
import json
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
tree = ast.parse(source)
function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "clean_text")
space = {"html": html, "re": re}
exec(compile(ast.Module([function], []), "clean_text", "exec"), space)

TEXTS = [
    "Hex bolt",
    "Hex bolt.",
    "Hex bolt....",
    "",
    " ",
    ".",
    "..",
    "...",
    "Nuts &amp; <b>bolts</b>, 12&quot;",
    "&lt;b&gt;twice&lt;/b&gt; &amp;amp; again",
    "a < b and c > d, <6 ft>, <br/>line</p>",
    "no semicolon &amp here &copy 2018 &notit",
    'He said "hi"\nand\r\nleft',
    "<été class='x'>accent</été> &eacute;",
    "  spaces  inside  ",
    "&nbsp;non breaking&nbsp;",
    "['A heavy stapler.', 'For wood & felt.']",
    "x" * 1998,
    "x" * 1999,
    "x" * 2000,
    "🙂" * 1998,
    "🙂" * 1999,
]
cleaned = [space["clean_text"](text) for text in TEXTS]
out = pathlib.Path(__file__).with_name("clean-text.json")
out.write_text(json.dumps([{"raw": raw, "cleaned": text} for raw, text in zip(TEXTS, cleaned)], indent=1) + "\n")
