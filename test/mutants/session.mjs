/**
 * Runs mutants one after the other in each of some workspaces: only the tests that reach the mutated file, the fastest
 * first, up to the first that fails. Times of the tests and results are kept in `.run/mutants`, so that a session that
 * was stopped goes on where it was, and an edit runs again what it touches.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Imports } from './imports.mjs';
import { Lines } from './lines.mjs';
import { apply, hash } from './mutate.mjs';
import { resultKey, testsOf } from './plan.mjs';
import { runTests } from './run-tests.mjs';
import { Workspace } from './workspace.mjs';

/** A test file alone may take so long, seconds. */
const LONGEST = 900;
/** A mutant's limit: so many times what its tests take unmutated, and seconds more. */
const [SLOWER, MORE] = [3, 20];
/** A test that imports the file itself notices more, and may be so many times slower than one that comes first. */
const DIRECT = 4;

/**
 * @typedef {import('./mutate.mjs').Mutant} Mutant
 * @typedef {{ module: string, mutant: Mutant }} Job
 * @typedef {'killed' | 'survived' | 'unreached'} Status `unreached`: no test of the module runs the file
 * @typedef {{ status: Status, by?: string, seconds: number }} Result `by`: the test that failed, `timeout` or `crashed`
 * @typedef {{ file: string, seconds: number, passed: boolean }} Timing
 */

export class Session {
  /** @type {Map<string, Timing>} */
  #timings = new Map();
  /** Texts of the project as they were when they were first read: an edit while a session runs is the next one's. */
  #texts = new Map();

  /**
   * @param {string} root the project's folder
   * @param {Record<string, import('./modules.mjs').Module>} modules
   * @param {{ workers?: number, log?: (line: string) => void }} [options]
   */
  constructor(root, modules, { workers = 1, log = () => {} } = {}) {
    this.root = root;
    this.log = log;
    this.workers = workers;
    this.imports = new Imports(root);
    this.tests = Object.fromEntries(Object.entries(modules).map(([name, module]) => [name, testsOf(root, module)]));
    this.times = new Lines(join(root, '.run/mutants/times.jsonl'));
    this.results = new Lines(join(root, '.run/mutants/results.jsonl'));
  }

  /** The results of the jobs, in their order; those that are known are not run again. @param {readonly Job[]} jobs */
  async run(jobs) {
    const left = jobs.filter((job) => this.#known(job) === undefined);
    if (left.length > 0) await this.#runAll(left);
    return jobs.map((job) => /** @type {Result} */ (this.#known(job)));
  }

  /** A result holds while the tests are the same; a mutant that a test has killed stays killed while that test is. */
  #known(job) {
    const tests = this.#testsOf(job);
    const killers = tests.map((test) => this.results.get(this.#keyOf(job, [test])));
    return this.results.get(this.#keyOf(job, tests)) ?? killers.find((result) => result?.status === 'killed');
  }

  /** @param {readonly Job[]} left */
  async #runAll(left) {
    const count = Math.max(1, Math.min(this.workers, left.length));
    const workspaces = Array.from({ length: count }, () => new Workspace(this.root));
    try {
      await this.#measure(workspaces, left);
      let done = 0;
      await share(workspaces, left, async (workspace, job) => {
        const result = await this.#runOne(workspace, job);
        this.#keep(job, result);
        const { file, line, operator } = job.mutant;
        const by = result.by ? ` by ${result.by}` : '';
        const seconds = `${result.seconds.toFixed(0)} s`;
        this.log(`${++done}/${left.length} ${result.status} ${file}:${line} [${operator}] ${seconds}${by}`);
      });
    } finally {
      workspaces.forEach((workspace) => workspace.dispose());
    }
  }

  /** Every test file that is needed, unmutated, where its time is not known. */
  async #measure(workspaces, jobs) {
    const files = [...new Set(jobs.flatMap((job) => this.#testsOf(job)))];
    const open = files.filter((file) => {
      const known = this.times.get(this.#closureHash(file));
      if (known) this.#timings.set(file, known);
      return !known;
    });
    await share(workspaces, open, async (workspace, file) => {
      const { status, by = '', seconds } = await runTests(workspace.folder, [file], LONGEST);
      const timing = { file, seconds, passed: status === 'passed' };
      this.log(`unmutated: ${file} ${status} in ${seconds.toFixed(1)} s ${by}`.trimEnd());
      this.#timings.set(file, timing);
      if (timing.passed) this.times.set(this.#closureHash(file), timing);
    });
    for (const file of files.filter((name) => !this.#timings.get(name).passed)) {
      this.log(`left out: ${file} fails without a mutant`);
    }
  }

  /** @param {Workspace} workspace @param {Job} job @returns {Promise<Result>} */
  async #runOne(workspace, job) {
    const { mutant } = job;
    const tests = this.#testsOf(job).filter((file) => this.#timings.get(file).passed);
    if (tests.length === 0) return { status: 'unreached', seconds: 0 };
    const time = (file) => this.#timings.get(file).seconds;
    const cost = (file) => time(file) / (this.imports.isDirect(file, mutant.file) ? DIRECT : 1);
    tests.sort((a, b) => cost(a) - cost(b));
    const restore = workspace.replace(mutant.file, apply(this.#read(mutant.file), mutant));
    let total = 0;
    try {
      // The fastest first and alone: it notices most mutants, and those without end soon.
      for (const files of [tests.slice(0, 1), tests.slice(1)].filter(({ length }) => length > 0)) {
        const limit = SLOWER * files.reduce((sum, file) => sum + time(file), 0) + MORE;
        const { status, by, seconds } = await runTests(workspace.folder, files, limit);
        total += seconds;
        const alone = files.length === 1 ? `${files[0]} > (${status})` : status;
        if (status !== 'passed') return { status: 'killed', by: by ?? alone, seconds: total };
      }
      return { status: 'survived', seconds: total };
    } finally {
      restore();
    }
  }

  /** The module's tests that run the mutated file. @param {Job} job */
  #testsOf({ module, mutant }) {
    return this.tests[module].filter((file) => this.imports.closure(file).includes(mutant.file));
  }

  /** @param {Job} job @param {Result} result */
  #keep(job, result) {
    const tests = this.#testsOf(job);
    const killer = tests.filter((file) => result.by?.startsWith(`${file} > `));
    const key = this.#keyOf(job, killer.length > 0 ? killer : tests);
    const { file, line, operator, before, after } = job.mutant;
    this.results.set(key, { ...result, module: job.module, file, line, operator, before, after });
  }

  /** @param {Job} job @param {readonly string[]} tests helpers are added */
  #keyOf(job, tests) {
    const closures = tests.flatMap((file) => this.imports.closure(file));
    const files = new Set(closures.filter((file) => file.startsWith('test/')));
    return resultKey((file) => this.#read(file), job.mutant, [...files]);
  }

  #read(file) {
    if (!this.#texts.has(file)) this.#texts.set(file, readFileSync(join(this.root, file), 'utf8'));
    return this.#texts.get(file);
  }

  #closureHash(test) {
    return hash(this.imports.closure(test).map((file) => [file, this.#read(file)]));
  }
}

/** Every worker takes the next element until there is none. */
async function share(workers, elements, work) {
  const queue = [...elements];
  const take = async (worker) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(worker, next);
  };
  await Promise.all(workers.map(take));
}
