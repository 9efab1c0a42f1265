/** The word that somebody probably meant. */

/**
 * The nearest of `words`, if it is near: at most a third of the letters changed, or one begins with the other.
 * @example nearest('bathc-size', ['batch-size', 'beta']) // 'batch-size'
 */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const scored = words.map((candidate) => ({ candidate, score: editDistance(word, candidate) }));
  const best = scored.sort((a, b) => a.score - b.score)[0];
  if (best && best.score <= Math.max(1, Math.floor(word.length / 3))) return best.candidate;
  return words.find((candidate) => word.length >= 3 && (candidate.startsWith(word) || word.startsWith(candidate)));
}

/** Damerau-Levenshtein: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let [before, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + changed);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
