/** What a session found, for people: a score for each module, and the mutants that nobody noticed. */

/** @typedef {import('./mutate.mjs').Mutant} Mutant @typedef {import('./session.mjs').Result} Result */

/**
 * @typedef {object} Equivalent a change that no test can notice, named as the report names it
 * @property {string} file
 * @property {string} before
 * @property {string} after
 * @property {string} reason
 */

/**
 * @param {readonly { module: string, mutant: Mutant, result: Result }[]} outcomes
 * @param {readonly Equivalent[]} equivalents left out of the score, and named
 * @returns {string[]} lines
 */
export function reportLines(outcomes, equivalents) {
  const lines = [];
  const totals = { killed: 0, all: 0 };
  for (const module of new Set(outcomes.map((outcome) => outcome.module))) {
    const own = outcomes.filter((outcome) => outcome.module === module);
    const survivors = own.filter(({ result }) => result.status !== 'killed');
    const excused = survivors.flatMap(({ mutant }) => {
      const found = equivalents.find((known) => isSame(known, mutant));
      return found ? [{ mutant, reason: found.reason }] : [];
    });
    const counted = own.length - excused.length;
    const killed = own.length - survivors.length;
    totals.killed += killed;
    totals.all += counted;
    lines.push(score(module, killed, counted) + (excused.length > 0 ? `, ${excused.length} equivalent` : ''));
    for (const { mutant, result } of survivors) {
      const equivalent = excused.find((other) => other.mutant === mutant);
      lines.push(...changeLines(mutant, equivalent ? `equivalent: ${equivalent.reason}` : result.status));
    }
  }
  return [...lines, score('all', totals.killed, totals.all)];
}

/** The change as two lines under its place. @param {Mutant} mutant @param {string} note @returns {string[]} */
export function changeLines({ file, line, operator, before, after }, note) {
  return [`  ${file}:${line} [${operator}] ${note}`, `    - ${before}`, `    + ${after}`];
}

function score(name, killed, all) {
  const share = all === 0 ? '' : ` (${((100 * killed) / all).toFixed(1)} %)`;
  return `${name}: ${killed} of ${all} killed${share}`;
}

function isSame(known, mutant) {
  return known.file === mutant.file && known.before === mutant.before && known.after === mutant.after;
}
