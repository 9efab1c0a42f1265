/**
 * What is mutated, and the tests that have to notice.
 *
 * `files`: the files that hold mathematics or rules whose slips would be silent: arithmetic, orders, bounds, ties,
 * seeds, schedules, what is kept and what is dropped. Leave out what only passes values on, prints, or reads and writes
 * whole files. A path that ends in `/` stands for all `.ts` files below it.
 *
 * `tests`: folders or files of tests. Those of the module itself, and of another only where it holds the proof (golden
 * values of models for the operations). A path that is not there is passed over, so that a folder of tests may come later.
 *
 * `without`: tests among them that take minutes, which every survivor would pay for. Without them the score can only be
 * too low.
 */

/** @typedef {{ files: string[], tests: string[], without?: string[] }} Module */

/** @type {Record<string, Module>} */
export const MODULES = {
  data: {
    files: [
      ...[
        'filter',
        'filter-rules',
        'k-core',
        'months',
        'order-by-time',
        'select',
        'split-rows',
        'title',
        'write-rows',
      ].map((name) => `lib/data/filter/${name}.ts`),
      ...['columns', 'id-table', 'interactions', 'json-bytes', 'reviews', 'metadata', 'catalogue', 'python-dict'].map(
        (name) => `lib/data/raw/${name}.ts`,
      ),
      ...['customers', 'sample'].map((name) => `lib/data/sample/${name}.ts`),
      'lib/data/item-text.ts',
      'lib/data/sid-index.ts',
    ],
    tests: ['test/data', 'test/cases'],
  },
  embed: {
    files: [
      'lib/embed/lsa/',
      'lib/embed/most-alike.ts',
      'lib/embed/sentence/length-batches.ts',
      'lib/embed/sentence/pool-tokens.ts',
      'lib/embed/sentence/encode-texts.ts',
      'lib/embed/sentence/row-collector.ts',
      'lib/embed/sentence/sentence-encoder.ts',
    ],
    tests: ['test/embed'],
  },
  sid: {
    files: [
      'lib/sid/balanced/',
      'lib/sid/collisions/',
      'lib/sid/kmeans/',
      'lib/sid/rqopq/',
      'lib/sid/rqvae/',
      'lib/sid/rvq.ts',
      'lib/sid/quality/neighbours.ts',
      'lib/sid/quality/quality-gate.ts',
      'lib/sid/quality/quality-measures.ts',
      'lib/sid/quality/quality.ts',
      'lib/sid/residual.ts',
      'lib/sid/quantized.ts',
      'lib/sid/extend-index.ts',
    ],
    tests: ['test/sid'],
    without: ['test/sid/saved-sids.test.ts', 'test/sid/sid-stage.test.ts'],
  },
  lm: {
    files: [
      'lib/lm/attention-plan.ts',
      'lib/lm/config.ts',
      'lib/lm/decoder.ts',
      'lib/lm/forest.ts',
      'lib/lm/rotary-frequencies.ts',
      'lib/lm/weights.ts',
      'lib/lm/lora/',
      'lib/lm/tokenizer/',
      'lib/tasks/',
    ],
    tests: ['test/lm', 'test/tasks', 'test/train/tasks.test.ts'],
  },
  ops: {
    files: ['lib/ops/'],
    tests: ['test/ops', 'test/lm/forward.test.ts', 'test/lm/lora.test.ts', 'test/lm/split-rows.test.ts'],
  },
  train: {
    files: ['lib/train/loop/', 'lib/train/optim/', 'lib/train/sft/'],
    tests: ['test/train'],
    without: [
      'test/train/resume.test.ts',
      'test/train/notebook-interrupt.test.ts',
      'test/train/grpo/grpo-resume.test.ts',
    ],
  },
  grpo: {
    files: ['lib/train/grpo/'],
    tests: ['test/train/grpo', 'test/train/options.test.ts'],
    without: ['test/train/grpo/grpo-resume.test.ts'],
  },
  decode: {
    files: ['lib/decode/'],
    tests: ['test/decode'],
  },
  evaluate: {
    files: [
      'lib/evaluate/cut-by-tokens.ts',
      'lib/evaluate/evaluate.ts',
      'lib/evaluate/measure-results.ts',
      'lib/evaluate/measures/',
      'lib/evaluate/merge-results.ts',
      'lib/evaluate/metrics.ts',
      'lib/evaluate/partial-results.ts',
      'lib/evaluate/rank-rows.ts',
      'lib/evaluate/recommender.ts',
      'lib/evaluate/results-file.ts',
      'lib/evaluate/shared-sids.ts',
      'lib/evaluate/results/',
      'lib/evaluate/rows/',
      'lib/evaluate/score/',
      'lib/evaluate/shard.ts',
      'lib/evaluate/shuffle-histories.ts',
      'lib/evaluate/statistics/',
      'lib/evaluate/text/',
    ],
    tests: ['test/evaluate'],
  },
  baselines: {
    files: ['lib/baselines/', 'lib/badcase/'],
    tests: ['test/baselines', 'test/badcase'],
  },
  support: {
    files: [
      'lib/support/random.ts',
      'lib/support/schedule.ts',
      'lib/support/progress.ts',
      'lib/runs/run-folder.ts',
      'lib/runs/tensorboard-events.ts',
      'lib/runs/tensorboard-log.ts',
      'lib/files/half-floats.ts',
      'lib/files/number-to-half.ts',
      'lib/files/npy-bytes.ts',
      'lib/files/npy-header.ts',
      'lib/files/safetensors.ts',
      'lib/files/zip.ts',
    ],
    tests: ['test/support', 'test/files', 'test/runs', 'test/embed/npy.test.ts'],
  },
};
