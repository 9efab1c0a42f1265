/** A file's tests leave the process as they found it: the next file's may run in it. */
import { afterAll, vi } from 'vitest';

const folder = process.cwd();

afterAll(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.useRealTimers();
  process.chdir(folder);
});
