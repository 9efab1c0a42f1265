"""Golden file of NLTK and rouge-score for test/evaluate/text-metrics.test.ts.

    pip install nltk rouge-score && python test/golden/text/make_text_metrics.py   (writes text-metrics.json beside itself)

`pairs`: a reference and a text, plain and odd. `bleu`: `sentence_bleu` of each, lower-cased and parted by `str.split()`,
unsmoothed and by methods 1 to 4, and `corpus_bleu` of all. `rouge`: rouge-score's figures with and without its stemmer.
`stems`: NLTK's PorterStemmer on words that are built from parts, so that every rule meets stems of every measure.
"""
import itertools
import json
import pathlib
import random
import warnings
from importlib.metadata import version

from nltk.stem.porter import PorterStemmer
from nltk.translate.bleu_score import SmoothingFunction, corpus_bleu, sentence_bleu
from rouge_score.rouge_scorer import RougeScorer

warnings.simplefilter("ignore")
chance = random.Random(3)

WORDS = ("steel kettle with lid and handle for camping trips compact cordless drill driver kit batteries charger "
         "the a of in 18V 2-pack grinder's blades folding, lightweight; travelling travels dying skies").split()
ODD = [
    ("", ""), ("", "kettle"), ("kettle", ""), ("kettle", "kettle"), ("kettle", "lamp"), ("Kettle", "kettle"),
    ("steel kettle", "kettle steel"), ("steel kettle", "steel kettle"), ("a b c", "a b c"), ("a b c d", "a b c d"),
    ("the the the the", "the"), ("the", "the the the the the the the"), ("the cat the cat the", "cat the cat the cat"),
    ("a b c d e f", "a x c y e z"), ("a b c d e f g h", "h g f e d c b a"), ("!!! ... ---", "!!! ... ---"),
    ("drill, cordless (18V) & kit", "drill cordless 18V kit"), ("1/4-20 x 3/4\" hex bolt, zinc", "1/4-20 x 1\" hex bolt"),
    ("caf\u00e9 cr\u00e8me \u2013 na\u00efve", "cafe creme - naive"), ("\u6c34\u58f6 \u4e0d\u9508\u94a2", "\u6c34\u58f6 \u4e0d\u9508\u94a2"),
    ("\u0130stanbul KELVIN \u212a", "i\u0307stanbul kelvin k"), ("stra\u00dfe STRASSE", "strasse stra\u00dfe"),
    ("tab\tand\nline\r\nbreaks", "tab and line breaks"), ("hard\u00a0blank\u2003em\u3000wide", "hard blank em wide"),
    ("zero\u200bwidth\ufeffmark", "zero width mark"), ("unit\x1fseparator\x85next", "unit separator next"),
    ("  edges  ", "edges"), ("\U0001f527 wrench \U0001f527", "wrench \U0001f527"), ("constructor __proto__ toString", "constructor toString"),
    ("travelling travellers travelled", "travels travel traveller"), ("dying skies news innings", "die sky new inning"),
    ("relational conditional rationally", "relate condition rational"), ("yyyy yay yo", "yyyy yays yo"),
]
made = []
for _ in range(60):
    reference = [chance.choice(WORDS) for _ in range(chance.randint(1, 14))]
    text = [word if chance.random() < 0.7 else chance.choice(WORDS) for word in reference]
    if chance.random() < 0.4:
        text = text[: chance.randint(0, len(text))]
    if chance.random() < 0.3:
        text = text + text[-3:]
    made.append((" ".join(reference), " ".join(text)))
PAIRS = ODD + made

smoothing = SmoothingFunction()
METHODS = {"none": None, **{f"method{i}": getattr(smoothing, f"method{i}") for i in (1, 2, 3, 4)}}
split = [(reference.lower().split(), text.lower().split()) for reference, text in PAIRS]
bleu = {name: [float(sentence_bleu([r], t, smoothing_function=method)) for r, t in split] for name, method in METHODS.items()}
bleu2 = [float(sentence_bleu([r], t, weights=(0.5, 0.5))) for r, t in split]
corpus = {name: float(corpus_bleu([[r] for r, _ in split], [t for _, t in split], smoothing_function=method))
          for name, method in METHODS.items()}


def rouge(stem):
    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stem)
    scores = [scorer.score(reference, text) for reference, text in PAIRS]
    return [[[s.precision, s.recall, s.fmeasure] for s in score.values()] for score in scores]


# Stems of measure 0 to 3 with every ending that a rule names, alone and in pairs.
STEMS = "s t y sh be ho fl sky tr ag hop fall hiss snow box play rel oper motor plast archae geo capab vill".split()
ENDINGS = ("s es ies sses ss ed ied eed ing ying y ly al ational tional enci anci izer bli abli alli entli eli ousli "
           "ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi logy icate ative alize iciti "
           "ical ful ness ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize e ll lly "
           "at bl iz ating bled izing lled tted ssing zzing wed xing").split()
PAIRED = list(itertools.product(["at", "iz", "al", "ful", "ous", "able", "ion", "e"], ["s", "ed", "ing", "ly", "ness", "ment", "ity", "ally"]))
words = {stem + ending for stem in STEMS for ending in ENDINGS + [a + b for a, b in PAIRED]}
words |= {"sky skies dying lying tying news innings inning outings outing cannings canning howe proceed exceed succeed".split()[i] for i in range(16)}
words |= {"a", "be", "is", "ties", "dies", "died", "tied", "ied", "eed", "ing", "feed", "agreed", "enjoy", "enjoyment", "18v", "2x4s", "m3ing", "yyyy", "controll", "roll", "say", "by", "ay", "ion", "tion"}
stemmer = PorterStemmer()
stems = {word: stemmer.stem(word) for word in sorted(words)}

out = dict(
    madeBy=f"nltk {version('nltk')}, rouge-score {version('rouge-score')}",
    pairs=PAIRS, bleu=bleu, bleu2=bleu2, corpus=corpus, rouge=rouge(True), rougePlain=rouge(False), stems=stems,
)
pathlib.Path(__file__).with_name("text-metrics.json").write_text(json.dumps(out) + "\n")
print(len(PAIRS), "pairs,", len(stems), "stems")
