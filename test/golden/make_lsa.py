"""Golden file of scikit-learn for test/embed/lsa.test.ts.

Run: pip install scikit-learn && python test/golden/make_lsa.py   (writes lsa.json beside itself)
"""
import json
import pathlib

import numpy
import sklearn
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

NOUNS = "kettle lamp drill router tripod blender tent speaker".split()
QUALITIES = "steel compact cordless folding travel".split()
texts = [
    f"{quality} {noun} no {i * 8 + j}, the {noun} for {QUALITIES[(i + j) % 5]} use: {noun} & {quality} parts"
    for i, quality in enumerate(QUALITIES)
    for j, noun in enumerate(NOUNS)
]
cases = []
for options in ({"sublinear_tf": True}, {"sublinear_tf": False, "min_df": 2, "max_df": 0.4}, {"ngram_range": (1, 2)}):
    vectorizer = TfidfVectorizer(**options)
    matrix = vectorizer.fit_transform(texts)
    svd = TruncatedSVD(n_components=8, algorithm="arpack")
    projected = svd.fit_transform(matrix)
    unit = projected / numpy.linalg.norm(projected, axis=1, keepdims=True)
    cases.append(
        {
            "options": {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()},
            "terms": vectorizer.get_feature_names_out().tolist(),
            "row0": {str(j): round(float(matrix[0, j]), 7) for j in sorted(matrix[0].indices.tolist())},
            "singular": [round(float(s), 6) for s in svd.singular_values_],
            "cosines0": [round(float(c), 6) for c in unit @ unit[0]],
            "projected0": [round(float(x), 6) for x in projected[0]],
        }
    )
out = {"sklearn": sklearn.__version__, "texts": texts, "cases": cases}
pathlib.Path(__file__).with_name("lsa.json").write_text(json.dumps(out, indent=1) + "\n")
