/**
 * Quality of the semantic IDs: what the report's numbers ask for is tried on the vectors before anything is trained, and the
 * best is taken, if it is better than what there is.
 */
import { existsSync } from 'node:fs';
import { readNpy } from '../../files/npy.js';
import { PipelineStages } from '../../pipeline/stages.js';
import { InputError } from '../../support/errors.js';
import { betterThan, judge, type Judged, judgeIndex, type Measured, sidCandidates } from '../sid-candidates.js';
import type { Changes, Strategy } from '../strategy.js';

/** Another level, more codes, another method or even codes, whichever is best on the vectors. */
export const SID_QUALITY: Strategy = {
  name: 'sid_quality',
  help: 'another level, a larger codebook, another method or even codes, tried on quality before training',
  modes: ['ambiguous SID', 'crowded code'],
  async propose({ report, config }) {
    const { embeddings, index } = new PipelineStages(config);
    const missing = [embeddings, index].find((file) => !existsSync(file));
    if (missing !== undefined) {
      throw new InputError(
        `strategies: sid_quality: expected item vectors and SIDs, got no ${missing}; run the pipeline first`,
      );
    }
    const vectors = readNpy(embeddings, 'run sidlab embed again');
    const now = judgeIndex(index, vectors);
    const judged: Judged[] = [];
    for (const candidate of sidCandidates(report, config, vectors.rows)) {
      judged.push(await judge(candidate, vectors, embeddings));
    }
    const best = judged.reduce<Judged | undefined>((found, next) => (!found || betterThan(next, found) ? next : found), undefined); // prettier-ignore
    if (!best || !betterThan(best, now)) {
      return `none of ${judged.length} candidates is better on the vectors than the SIDs that there are (${numbers(now)})`;
    }
    const own: Changes = config.sft?.index === undefined ? {} : { 'sft.index': null };
    return {
      changes: { ...own, ...best.candidate.changes },
      expected:
        `Of ${judged.length} candidates the best on the vectors (${best.candidate.name}): ${numbers(best)}; before ${numbers(now)}. ` +
        'SIDs change, so that everything after them is trained anew.',
    };
  },
};

function numbers({ final, collision, neighbours, evenness }: Measured): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    `${percent(final)} of the items share a SID, ${percent(collision)} before codes were moved, ` +
    `neighbours share prefixes ${percent(neighbours)} beyond chance, the least even level is used like ${percent(evenness)} of its codes`
  );
}
