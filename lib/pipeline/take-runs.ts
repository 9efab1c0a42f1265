/** Training that a round would only repeat: where a strategy changes the ranking alone, or nothing before GRPO. */
import { constants, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tell } from '../support/progress.js';
import type { PipelineConfig } from './config.js';
import { rewardNeeds } from './reward-needs.js';
import { PipelineStages } from './stages.js';

/**
 * Copies the runs of the round before, as far as this one would train them the same, so that they are done. The run's own
 * check of options and inputs has the last word, as of every run that is gone on with.
 * @param config of the round that follows; it ranks SIDs of the round before where it would make the same
 * @returns the stages whose runs were copied
 */
export function takeRuns(before: PipelineConfig, config: PipelineConfig): string[] {
  const [earlier, now] = [new PipelineStages(before), new PipelineStages(config)];
  const taken: string[] = [];
  if (config.again || now.index !== earlier.index) return taken;
  for (const stage of ['sft', 'grpo'] as const) {
    if (stage === 'grpo' && dependsOnMore(config)) break;
    const [from, to] = [join(earlier.runs, stage), join(now.runs, stage)];
    const done = existsSync(join(from, 'card.json'));
    if (!config[stage] || !done || optionsOf(before, stage) !== optionsOf(config, stage)) break;
    if (existsSync(to)) continue;
    mkdirSync(now.runs, { recursive: true });
    const part = `${to}.part`; // a copy that was cut short is no run
    rmSync(part, { recursive: true, force: true });
    cpSync(from, part, { recursive: true, mode: constants.COPYFILE_FICLONE });
    renameSync(part, to);
    taken.push(stage);
  }
  if (taken.length > 0) tell(`${taken.join(' and ')}: nothing that decides ${taken.length > 1 ? 'them' : 'it'} changed; taken from the round before`); // prettier-ignore
  return taken;
}

/** A scorer is trained anew and may have other bits; an adapter names the folder of its base. */
function dependsOnMore(config: PipelineConfig): boolean {
  return rewardNeeds(config, 'scorer') || config.grpo?.lora !== undefined;
}

/** Without the index, which is the same and which the round before may not have named. */
function optionsOf(config: PipelineConfig, stage: 'sft' | 'grpo'): string {
  return JSON.stringify({ ...config[stage], index: undefined });
}
