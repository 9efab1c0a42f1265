/** Commands that train, and what looks at runs. */
import type { LoadedScorer } from '../../baselines/sequence/scorer.js';
import { MERGE_OPTIONS } from '../../lm/lora/merge-options.js';
import { path } from '../../options/kinds.js';
import { GRPO_OPTIONS } from '../../train/grpo/grpo-options.js';
import type { GrpoReport } from '../../train/grpo/grpo.js';
import type { RunEstimate } from '../../train/report/estimate.js';
import { RUNS_OPTIONS } from '../../train/report/runs-options.js';
import { SFT_OPTIONS } from '../../train/sft/sft-options.js';
import type { SftReport } from '../../train/sft/sft.js';
import type { Command } from '../command.js';
import { record } from '../print.js';
import type { RunsReport } from '../runs-report.js';
import { checked, DRY_RUN } from './shared.js';

/** By name. */
export const TRAIN_COMMANDS = {
  sft: {
    summary: 'supervised fine-tuning: a language model is trained to write the SID of the next item',
    schema: SFT_OPTIONS,
    extra: DRY_RUN,
    parallel: true,
    run: async (values, { dryRun }) => {
      const { sft, sftEstimate } = await import('../../train/sft/sft.js');
      return dryRun ? sftEstimate(checked(values)) : sft(checked(values));
    },
    print: async (result: SftReport | RunEstimate) =>
      'freeBytes' in result
        ? (await import('../../train/report/estimate.js')).estimateText('sft', result)
        : record(result),
  },
  grpo: {
    summary: 'reinforcement learning from an SFT model: groups of completions, compared by their rewards',
    schema: GRPO_OPTIONS,
    parallel: true,
    extra: {
      ...DRY_RUN,
      scorerModel: path('model/ of a trained baseline, such as sasrec: the scorer of the sasrec reward'),
    },
    run: async (values, { dryRun, scorerModel }) => {
      const { grpo, grpoEstimate } = await import('../../train/grpo/grpo.js');
      const scorer = await scorerOf(scorerModel as string | undefined);
      try {
        const options = { ...values, ...(scorer && { scorer }) };
        return await (dryRun ? grpoEstimate(checked(options)) : grpo(checked(options)));
      } finally {
        scorer?.dispose();
      }
    },
    print: async (result: GrpoReport | RunEstimate) =>
      'freeBytes' in result
        ? (await import('../../train/report/estimate.js')).estimateText('grpo', result)
        : record(result),
  },
  merge: {
    summary: 'an adapter and its base -> one model folder',
    schema: MERGE_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../../engine/engine.js');
      await ensureEngine();
      return (await import('../../lm/lora/merge-stage.js')).mergeStage(checked(values));
    },
  },
  runs: {
    summary: 'the runs of a folder: how far they got, in what they differ, their curves in one figure',
    schema: RUNS_OPTIONS,
    run: async (values) => (await import('../runs-report.js')).runsReport(checked(values)),
    print: async (report: RunsReport) => (await import('../runs-report.js')).runsText(report),
  },
} satisfies Record<string, Command>;

async function scorerOf(folder: string | undefined): Promise<LoadedScorer | undefined> {
  return folder === undefined ? undefined : (await import('../../baselines/sequence/scorer.js')).loadScorer(folder);
}
