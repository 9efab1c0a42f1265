/** The configuration of another round: the chosen one, beside what is there, nothing of which is overwritten. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { QUICK_BASELINES, type BaselineName } from '../baselines/baselines.js';
import type { PipelineConfig } from './config.js';
import type { StageName } from './pipeline-options.js';
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
  const same = (...stages: StageName[]): boolean =>
    stages.every((stage) => JSON.stringify(before[stage] ?? {}) === JSON.stringify(chosen[stage] ?? {}));
  const { sample: _sample, rounds: _rounds, strategies: _strategies, compare: _compare, ...others } = chosen;
  const { again: _again, figures: _figures, ...rest } = others;
  const { embeddings: _written, ...embed } = chosen.embed ?? {};
  const { index: _index, embeddings: _vectors, ...sid } = chosen.sid ?? {};
  const { index: _own, ...sft } = chosen.sft ?? {};
  const data = ['filter', 'import', 'join', 'enrich'] as const;
  const vectors = same(...data, 'embed') && existsSync(earlier.embeddings) && { embeddings: earlier.embeddings };
  const imported = earlier.source === 'import' && !chosen.embed && !chosen.sid; // with its index
  return {
    ...rest,
    out,
    ...(figures !== undefined && { figures: join(figures, basename(out)) }),
    baselines: (chosen.baselines ?? QUICK_BASELINES).filter((name) => QUICK.includes(name)),
    ...(earlier.source === 'filter' && { filter: { ...chosen.filter, ...earlier.raw } }),
    ...(chosen.enrich && { enrich: { ...chosen.enrich, answers: earlier.answers } }), // nothing is asked twice
    ...(imported ? {} : { embed, sid: { ...sid, ...vectors } }),
    sft: { ...sft, ...(same(...data, 'embed', 'sid') && { index: earlier.index }) },
  };
}

const MAIN = 'main';
const QUICK: readonly BaselineName[] = QUICK_BASELINES;
