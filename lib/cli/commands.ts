/**
 * The commands: each a thin call of one library function, and how its result reads.
 */
import { join } from 'node:path';
import { badCaseReport } from '../badcase/bad-case-report.js';
import { type BaselineName, BASELINES, baselineStage } from '../baselines/baseline-stage.js';
import { convert } from '../data/convert.js';
import { filterStage } from '../data/filter/filter-stage.js';
import { findName } from '../data/load.js';
import { writeSample } from '../data/sample/sample.js';
import { embedItems } from '../embed/embed-items.js';
import { doctor } from '../engine/doctor.js';
import { evaluateStage } from '../evaluate/evaluate-stage.js';
import { mergeStage } from '../lm/lora/merge-stage.js';
import { extendIndex } from '../sid/extend-index.js';
import { sidStage } from '../sid/sid-stage.js';
import { InputError } from '../support/errors.js';
import { grpo } from '../train/grpo/grpo.js';
import { estimateText, type RunEstimate } from '../train/report/estimate.js';
import { sft, sftEstimate, type SftPlan, type SftReport } from '../train/sft/sft.js';
import type { FlagValues } from './flags.js';
import { generateCommand } from './generate-command.js';
import { LORA_FLAGS, loraOption } from './lora-flags.js';
import { options } from './options.js';
import { pipelineCommand } from './pipeline-command.js';
import { record } from './print.js';
import { qualityCommand } from './quality-command.js';
import { runsCommand } from './runs-command.js';
import type { Command } from './command.js';

const indexOf = (values: FlagValues): string =>
  (values.index as string | undefined) ?? join(values.data as string, `${findName(values.data as string)}.index.json`);

function extendCommand({ embeddings, index, ...others }: FlagValues): ReturnType<typeof extendIndex> {
  if (index === undefined || Object.keys(others).length > 0) {
    throw new InputError('sid: expected --index and --embeddings beside --extend, and nothing else');
  }
  return extendIndex({ embeddings: embeddings as string, index: index as string });
}

export const COMMANDS: Record<string, Command> = {
  doctor: {
    summary: 'what runs here: engine, precision, speed, and what is missing',
    flags: [],
    engine: true,
    run: () => doctor(),
    print: record,
  },
  sample: {
    summary: 'write a sample catalogue: reviews and metadata in the Amazon 2018 format',
    flags: ['out', 'size', 'seed'],
    needs: ['out'],
    engine: false,
    run: (values) => writeSample(options(values)),
  },
  filter: {
    summary: 'raw interactions and item texts -> items and training, validation and test rows',
    flags: [
      ...(['reviews', 'meta', 'format', 'columns', 'out', 'dataset', 'user-k', 'item-k', 'from', 'to'] as const),
      ...(['min-items', 'window', 'split', 'title-words'] as const),
    ],
    needs: ['reviews', 'out', 'dataset'],
    engine: false,
    run: (values) => filterStage(options(values)),
  },
  embed: {
    summary: 'item texts -> item vectors',
    flags: [
      ...(['data', 'dataset', 'encoder', 'width', 'embeddings', 'seed'] as const),
      ...(['pooling', 'cutoff-len', 'batch-size', 'token-budget'] as const),
    ],
    needs: ['data'],
    engine: true,
    run: (values) => embedItems(options(values)),
  },
  sid: {
    summary: 'item vectors -> semantic IDs',
    flags: [
      ...(['embeddings', 'index', 'method', 'levels', 'codebook-size', 'epochs', 'collisions'] as const),
      ...(['uniform', 'cluster-size', 'starts', 'extend', 'seed'] as const),
      ...(['hidden', 'latent', 'learning-rate', 'schedule', 'warmup-epochs', 'batch-size'] as const),
      ...(['dropout', 'weight-decay', 'best', 'run', 'start-index'] as const),
    ],
    needs: ['embeddings'],
    engine: true,
    run: ({ epochs, extend, ...values }) => {
      if (extend) return extendCommand(values);
      // Of k-means an epoch is a round.
      const rounds = !['rqvae', 'rqkmeans-plus'].includes(String(values.method));
      const hidden = typeof values.hidden === 'number' ? { hidden: [values.hidden] } : {};
      return sidStage(
        options({ ...values, ...hidden, ...(epochs !== undefined && { [rounds ? 'iterations' : 'epochs']: epochs }) }),
      );
    },
  },
  'sid quality': qualityCommand,
  convert: {
    summary: "rows and index -> MiniOneRec's CSV and info files",
    flags: ['data', 'dataset', 'index', 'out'],
    needs: ['data'],
    engine: false,
    run: (values) => convert(options(values)),
  },
  sft: {
    summary: 'supervised fine-tuning: a language model learns to write the SID of the next item',
    flags: [
      ...(['data', 'index', 'run', 'model', 'template', 'mode', 'window', 'epochs', 'learning-rate'] as const),
      ...(['schedule', 'warmup-steps', 'batch-size', 'token-budget', 'dropout', 'weight-decay'] as const),
      ...(['valid-rows', 'eval-epochs', 'patience', 'seed'] as const),
      ...(['warmup-ratio', 'batch-tokens', 'eval-steps', 'best-metric', 'keep', 'keep-last'] as const),
      ...(['optimizer', 'muon-scale', 'layer-checkpointing', 'dry-run'] as const),
      ...LORA_FLAGS,
      ...(['tasks', 'templates', 'data-ratio', 'cutoff-len', 'chat-template'] as const),
      ...(['sid-tokens', 'sid-vocabulary', 'init', 'vocab-size'] as const),
    ],
    needs: ['data'],
    engine: true,
    run: ({ dryRun, ...values }) => {
      const { others, lora } = loraOption(values);
      const { run = join(values.data as string, 'runs', 'sft'), ...given } = others;
      const plan = { ...options<SftPlan>({ ...given, index: indexOf(values) }), ...(lora && { lora }) };
      return dryRun ? sftEstimate(plan) : sft({ ...plan, run: run as string });
    },
    print: (result: SftReport | RunEstimate) => ('freeBytes' in result ? estimateText('sft', result) : record(result)),
  },
  grpo: {
    summary: 'reinforcement learning from an SFT model: groups of beams, ranked rewards',
    flags: [
      ...([
        'data',
        'index',
        'run',
        'model',
        'template',
        'epochs',
        'learning-rate',
        'schedule',
        'warmup-steps',
      ] as const),
      ...([
        'batch-size',
        'num-generations',
        'beta',
        'reward',
        'sample-size',
        'valid-rows',
        'eval-steps',
        'seed',
        'layer-checkpointing',
      ] as const),
    ],
    needs: ['data', 'model'],
    engine: true,
    run: (values) =>
      grpo(options({ run: join(values.data as string, 'runs', 'grpo'), ...values, index: indexOf(values) })),
  },
  evaluate: {
    summary: 'rank the catalogue for every row by constrained beam search',
    flags: [
      ...(['data', 'index', 'model', 'template', 'split', 'num-beams', 'normalize', 'shuffle-histories'] as const),
      ...(['results', 'templates', 'cutoff-len', 'chat-template', 'sid-tokens'] as const),
    ],
    needs: ['data', 'model'],
    engine: true,
    run: (values) => evaluateStage(options({ ...values, index: indexOf(values) })),
  },
  generate: generateCommand,
  merge: {
    summary: 'an adapter and its base -> one model folder',
    flags: ['model', 'adapter', 'out'],
    needs: ['adapter', 'out'],
    engine: true,
    run: (values) => mergeStage(options(values)),
  },
  baseline: {
    summary: `a baseline's ranking of the same rows: ${Object.keys(BASELINES).join(', ')}`,
    flags: ['data', 'dataset', 'results'],
    needs: ['data'],
    words: 'NAME',
    engine: false,
    run: (values, [name]) => {
      if (name === undefined)
        throw new InputError(`baseline: expected a name, one of ${Object.keys(BASELINES).join(', ')}`);
      return baselineStage({ ...options<{ data: string }>(values), name: name as BaselineName });
    },
  },
  badcase: {
    summary: 'where and why recommendations fail: report and figures',
    flags: ['data', 'dataset', 'results', 'out', 'top-k'],
    needs: ['data', 'results'],
    engine: false,
    run: ({ topK, ...values }) => badCaseReport(options({ ...values, ...(topK !== undefined && { k: topK }) })),
  },
  runs: runsCommand,
  pipeline: pipelineCommand,
};
