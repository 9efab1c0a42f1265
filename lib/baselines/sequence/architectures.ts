/**
 * The baselines that are trained: names, options with each one's own defaults, and where they are built. A new one is a
 * file of its own and an entry here. Nothing heavy is imported until it is trained.
 */
import { integer } from '../../options/kinds.js';
import type { Architecture } from './architecture.js';
import { sequenceOptions } from './sequence-options.js';

const WIDTH = integer('numbers in an item vector and in every layer', { default: 64 });

/** The architectures, in the order of the results table. */
export const ARCHITECTURES = [
  {
    name: 'sasrec',
    help: 'a causal transformer over the items of the history (Kang & McAuley 2018)',
    options: {
      ...sequenceOptions({ dropout: 0.5 }),
      width: WIDTH,
      blocks: integer('transformer blocks', { default: 2 }),
      heads: integer('attention heads', { default: 2 }),
    },
    load: async () => (await import('./sasrec.js')).sasrec,
  },
] as const satisfies readonly Architecture[];
