/**
 * English words to their stems, so that "grinders" and "grinder" count as the same word.
 *
 * Follows Porter, "An algorithm for suffix stripping" (Program 14(3), 1980), in the variant that ROUGE's Python port
 * uses: NLTK's. Its departures from the paper:
 *   1. a pool of irregular words has its stems listed; words of one or two letters stay as they are;
 *   2. "ies" and "ied" keep their e in words of four letters (dies -> die), else both become "i";
 *   3. y becomes i behind a consonant that is not the word's first letter (enjoy stays);
 *   4. "alli" is tried first in step 2, and the result goes through that step again;
 *   5. "bli" is taken for "abli", "fulli" and "logi" are suffixes too, and a stem of vowel and consonant keeps its e.
 *
 * A word's measure m counts how often a vowel is followed by a consonant: tree 0, trouble 1, private 2.
 */

/** A suffix, what it becomes, and whether what comes before it lets it. The first that fits the word's end decides. */
type Rule = readonly [suffix: string, replacement: string, allowed: (stem: string) => boolean];

const IRREGULAR: Readonly<Record<string, string>> = {
  ...{ sky: 'sky', skies: 'sky', dying: 'die', lying: 'lie', tying: 'tie', news: 'news', howe: 'howe' },
  ...{ innings: 'inning', inning: 'inning', outings: 'outing', outing: 'outing' },
  ...{ cannings: 'canning', canning: 'canning', proceed: 'proceed', exceed: 'exceed', succeed: 'succeed' },
};

const always = (): boolean => true;
const some = (stem: string): boolean => measure(stem) > 0;
const several = (stem: string): boolean => measure(stem) > 1;

const PLURALS: readonly Rule[] = [
  ['sses', 'ss', always],
  ['ies', 'i', always],
  ['ss', 'ss', always],
  ['s', '', always],
];

const DOUBLE_SUFFIXES: readonly Rule[] = (
  'ational ate,tional tion,enci ence,anci ance,izer ize,bli ble,alli al,entli ent,eli e,ousli ous,ization ize,' +
  'ation ate,ator ate,alism al,iveness ive,fulness ful,ousness ous,aliti al,iviti ive,biliti ble,fulli ful'
)
  .split(',')
  .map((pair): Rule => [...(pair.split(' ') as [string, string]), some])
  .concat([['logi', 'log', (stem) => some(stem + 'l')]]); // so that "geologi" is a word of "geo" too

const SINGLE_SUFFIXES: readonly Rule[] = [
  ['icate', 'ic', some],
  ['ative', '', some],
  ['alize', 'al', some],
  ['iciti', 'ic', some],
  ['ical', 'ic', some],
  ['ful', '', some],
  ['ness', '', some],
];

const LAST_SUFFIXES: readonly Rule[] = [
  ...rulesOf('al ance ence er ic able ible ant ement ment ent'),
  ['ion', '', (stem) => several(stem) && /[st]$/.test(stem)],
  ...rulesOf('ou ism ate iti ous ive ize'),
];

function rulesOf(suffixes: string): Rule[] {
  return suffixes.split(' ').map((suffix) => [suffix, '', several]);
}

/** @param word in lower case @example porterStem('grinders') // 'grinder'; porterStem('enjoyment') // 'enjoy' */
export function porterStem(word: string): string {
  if (Object.hasOwn(IRREGULAR, word)) return IRREGULAR[word]!;
  if (word.length <= 2) return word;
  const past = participle(plural(word));
  const single = apply(doubled(withI(past)), SINGLE_SUFFIXES);
  return finalL(finalE(apply(single, LAST_SUFFIXES)));
}

function apply(word: string, rules: readonly Rule[]): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const [suffix, replacement, allowed] = rule;
  const stem = word.slice(0, word.length - suffix.length);
  return allowed(stem) ? stem + replacement : word;
}

function plural(word: string): string {
  return word.length === 4 && word.endsWith('ies') ? word.slice(0, -1) : apply(word, PLURALS);
}

function participle(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return some(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const stem = /^(.*)(?:ed|ing)$/.exec(word)?.[1];
  if (stem === undefined || !consonants(stem).includes(false)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return stem + 'e';
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? stem + 'e' : stem;
}

function withI(word: string): string {
  const stem = word.slice(0, -1);
  return word.endsWith('y') && stem.length > 1 && consonants(stem).at(-1) ? stem + 'i' : word;
}

function doubled(word: string): string {
  if (word.endsWith('alli') && some(word.slice(0, -4))) return doubled(word.slice(0, -2));
  return apply(word, DOUBLE_SUFFIXES);
}

function finalE(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  return several(stem) || (measure(stem) === 1 && !endsShort(stem)) ? stem : word;
}

function finalL(word: string): string {
  return word.endsWith('ll') && several(word.slice(0, -1)) ? word.slice(0, -1) : word;
}

/** Of every letter, whether it is a consonant: none of aeiou, nor a y behind a consonant. */
function consonants(word: string): boolean[] {
  const flags: boolean[] = [];
  for (const letter of word) flags.push(letter === 'y' ? !flags.at(-1) : !'aeiou'.includes(letter));
  return flags;
}

function measure(stem: string): number {
  const flags = consonants(stem);
  return flags.filter((consonant, i) => consonant && flags[i - 1] === false).length;
}

function endsDouble(word: string): boolean {
  return word.at(-1) === word.at(-2) && consonants(word).at(-1)!;
}

/** Consonant, vowel, consonant other than w, x, y at the end (hop, but not snow); or a word of vowel and consonant. */
function endsShort(word: string): boolean {
  const [a, b, c] = consonants(word).slice(-3);
  if (word.length === 2) return !a && b!;
  return word.length >= 3 && a! && !b && c! && !/[wxy]$/.test(word);
}
