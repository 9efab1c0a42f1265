import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These change or measure what other files would find in their process: the engine, a mocked module, the current folder. */
const ALONE = [
  'test/setup/checks.test.ts',
  'test/docs/code-blocks.test.ts',
  'test/train/loop.test.ts',
  'test/pipeline/tiger.test.ts',
  'test/embed/without-transformers.test.ts',
  'test/engine/**/*.test.ts',
  'test/files/text.test.ts', // processor seconds, which are those of the whole process
  'test/mutants/**/*.test.ts',
];

/** The longest: a file that begins as the last one would end alone. */
const FIRST = [
  'setup/checks',
  'docs/code-blocks',
  'train/resume',
  'train/cluster/sft',
  'notebooks',
  'cli/cli',
  'train/cluster/grpo',
  'sid/saved-sids',
  'evaluate/evaluate-in-processes',
  'train/grpo/grpo-resume',
  'train/notebook-interrupt',
].map((name) => `/test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ project, moduleId }: TestSpecification): number => {
      const at = FIRST.findIndex((end) => moduleId.endsWith(end));
      return (project.config.isolate ? 0 : FIRST.length + 1) + (at < 0 ? FIRST.length : at);
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

// Two cores, two processes. Loading TensorFlow.js costs more than most files' tests, so that files share a process
// (`npm test -- --isolate` gives each its own); a process has one native engine, whoever shares it.
export default defineConfig({
  test: {
    globals: true,
    pool: 'forks',
    maxWorkers: 2,
    server: { deps: { external: [/\/dist\/.*\.js$/] } }, // the built package, which benchmarks import, is JavaScript already
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
    setupFiles: ['test/leave-as-found.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      { extends: true, test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false } },
    ],
  },
});
