/** The kit's baselines, in the order of the results table. A new one is a file of its own and a line here. */
import type { Baseline } from './baseline.js';
import { POPULARITY } from './popularity.js';
import { TRANSITION } from './transition.js';

/** The baselines that the kit has; a new one is a line here. */
export const BASELINES = [POPULARITY, TRANSITION] as const satisfies readonly Baseline[];

/** A name of the kit's baselines. */
export type BaselineName = (typeof BASELINES)[number]['name'];
/** All of them, in the same order. */
export const BASELINE_NAMES: readonly BaselineName[] = BASELINES.map(({ name }) => name);

/** The baseline of a name; an object is a baseline itself. */
export function baselineOf(given: Baseline | BaselineName): Baseline {
  return typeof given === 'string' ? BASELINES.find(({ name }) => name === given)! : given;
}
