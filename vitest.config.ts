import { defineConfig } from 'vitest/config';

// One native engine a process, and two cores: test files run in processes of their own, two at a time.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globals: true,
    pool: 'forks',
    maxWorkers: 2,
    server: { deps: { external: [/\/dist\/.*\.js$/] } }, // the built package, which benchmarks import, is JavaScript already
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { TF_CPP_MIN_LOG_LEVEL: '2' },
  },
});
