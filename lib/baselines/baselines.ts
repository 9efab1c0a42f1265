/** The kit's baselines, in the order of the results table. A new one is a file of its own and a line here. */
import type { Baseline } from './baseline.js';
import { ITEM_KNN } from './item-knn.js';
import { POPULARITY } from './popularity.js';
import { ARCHITECTURES } from './sequence/architectures.js';
import { trainedBaseline } from './sequence/trained-baseline.js';
import { TIGER } from './tiger/tiger.js';
import { TRANSITION } from './transition.js';

const TRAINED = ARCHITECTURES.map((one) => trainedBaseline<(typeof ARCHITECTURES)[number]['name']>(one));

/** The baselines that the kit has; a new one is a line here. */
export const BASELINES = [POPULARITY, TRANSITION, ITEM_KNN, ...TRAINED, TIGER] as const satisfies readonly Baseline[];

/** A name of the kit's baselines. */
export type BaselineName = (typeof BASELINES)[number]['name'];
/** All of them, in the same order. */
export const BASELINE_NAMES: readonly BaselineName[] = BASELINES.map(({ name }) => name);

/** Those of a pipeline's results table where nobody names others: they take seconds. */
export const QUICK_BASELINES: readonly BaselineName[] = ['popularity', 'transition'];

/** The baseline of a name; an object is a baseline itself. */
export function baselineOf(given: Baseline | BaselineName): Baseline {
  return typeof given === 'string' ? BASELINES.find(({ name }) => name === given)! : given;
}
