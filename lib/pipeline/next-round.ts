/** The configuration of another round: the chosen one, beside what is there, nothing of which is overwritten. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { QUICK_BASELINES, type BaselineName } from '../baselines/baselines.js';
import type { PipelineConfig } from './config.js';
import { PipelineStages } from './stages.js';

/** Folder of a later round: `OUT/round-2`; of runs with a name of their own `OUT/NAME-round-2`. */
export function roundFolder({ out, run = MAIN }: Pick<PipelineConfig, 'out' | 'run'>, round: number): string {
  return join(out, `${run === MAIN ? '' : `${run}-`}round-${round}`);
}

/**
 * @param first configuration of the first round @param before of the round before this one
 * @param chosen what strategies made of it
 * @returns a configuration that writes to `OUT/round-N` alone. Vectors and SIDs that would come out the same are taken
 *   from the round before it; baselines that are trained are not trained again
 */
export function nextRound(
  first: PipelineConfig,
  before: PipelineConfig,
  chosen: PipelineConfig,
  round: number,
): PipelineConfig {
  const { figures } = first;
  const out = roundFolder(first, round);
  const earlier = new PipelineStages(before);
  const same = (...stages: ('filter' | 'embed' | 'sid')[]): boolean =>
    stages.every((stage) => JSON.stringify(before[stage] ?? {}) === JSON.stringify(chosen[stage] ?? {}));
  const { sample: _sample, rounds: _rounds, again: _again, figures: _figures, ...rest } = chosen;
  const { embeddings: _written, ...embed } = chosen.embed ?? {};
  const { index: _index, embeddings: _vectors, ...sid } = chosen.sid ?? {};
  const { index: _own, ...sft } = chosen.sft ?? {};
  const vectors = same('filter', 'embed') && existsSync(earlier.embeddings) && { embeddings: earlier.embeddings };
  return {
    ...rest,
    out,
    ...(figures !== undefined && { figures: join(figures, basename(out)) }),
    baselines: (chosen.baselines ?? QUICK_BASELINES).filter((name) => QUICK.includes(name)),
    filter: { ...chosen.filter, ...earlier.raw },
    embed,
    sid: { ...sid, ...vectors },
    sft: { ...sft, ...(same('filter', 'embed', 'sid') && { index: earlier.index }) },
  };
}

const MAIN = 'main';
const QUICK: readonly BaselineName[] = QUICK_BASELINES;
