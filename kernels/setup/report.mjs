/** What the set-up says: on standard error, one line a step that did something, one line a thing that is missing. */

const missing = new Map();

/** One line, from the set-up. */
export function say(line) {
  process.stderr.write(`sidlab: ${line}\n`);
}

/**
 * Notes that something cannot be had. Printed once, at the end of the set-up, in one line with the mend.
 * @param {string} what what is missing
 * @param {{ why: string, mend: string, instead: string }} about why, how to mend it, what happens without it
 */
export function lacks(what, { why, mend, instead }) {
  missing.set(what, `missing: ${what} (${why}); ${instead}. Mend: ${mend}`);
}

export function printMissing() {
  for (const line of missing.values()) say(line);
  missing.clear();
}

/** Runs a step, tells how long it took. Says nothing of a step that returns false (nothing to do). */
export async function timed(label, step) {
  const start = performance.now();
  const did = await step();
  if (did) say(`${label}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return did;
}
