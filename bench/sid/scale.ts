/**
 * How time and memory grow with the catalogue: 100,000 items and a million interactions against ten times as many,
 * vectors of 768 numbers, through `filter`, `sid`, `sid quality`, `convert`, the trie and beam search, each stage in a
 * process of its own.
 *
 * A run ends after an hour. What a stage took is kept in `.run/scale/ITEMS/*.json`, so that the next one resumes; remove
 * the folder to measure again. Training beyond 20,000 rows is projected. `SIDLAB_SCALE=10000,20000` takes other sizes; each is compared with the first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeFolder, InputError, readJson, tableText } from 'sidlab';
import { writeJson } from 'sidlab/files';
import type { Row } from '../row.js';
import type { ScaleResult } from './scale-stage.js';

/** In order; each reads what those before it wrote. */
const STAGES = ['filter', 'sid rqvae', 'sid rqkmeans-plus', 'sid quality', 'convert', 'trie and search'] as const;
/** What is made before the stages; not a row of the table. */
const INPUTS: Readonly<Record<string, readonly string[]>> = { filter: ['raw'], 'sid rqvae': ['vectors'] };
/** Of all stages together; what is left then waits for the next run. */
const LIMIT_SECONDS = 3600;
/** Time and memory may grow by this times what the items do: sorting takes a little more than its share. */
const SLACK = 1.5;

/** A stage that did not end. */
interface Failure {
  failure: string;
}

export async function scaleBench(): Promise<Row[]> {
  const sizes = (process.env.SIDLAB_SCALE ?? '100000,1000000').split(',').map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1000)) {
    throw new InputError(`scale: expected SIDLAB_SCALE of whole numbers from 1000, got ${process.env.SIDLAB_SCALE}`);
  }
  const results = sizes.map((size) => new Map(STAGES.map((stage) => [stage as string, measure(stage, size)])));
  const rows = sizes.flatMap((size, s) =>
    STAGES.map((stage) => rowOf(stage, size, results[s]!.get(stage)!, sizes[0]!, results[0]!.get(stage)!)),
  );
  console.error(
    tableText(sizes.flatMap((size, s) => STAGES.map((stage) => line(stage, size, results[s]!.get(stage)!)))),
  );
  return rows;
}

/** What a stage took, from its file or by running it now. */
function measure(stage: string, items: number): ScaleResult | Failure {
  for (const input of INPUTS[stage] ?? []) {
    const made = measure(input, items);
    if ('failure' in made) return made;
  }
  const kept = join(homeFolder(), '.run/scale', String(items), `${stage.replaceAll(' ', '-')}.json`);
  if (existsSync(kept)) return readJson<ScaleResult>(kept);
  const left = LIMIT_SECONDS * 1000 - performance.now(); // since the process began
  if (left <= 0) return { failure: TOO_LATE };
  const folder = join(homeFolder(), 'data/scale', String(items));
  const script = fileURLToPath(new URL('scale-stage.js', import.meta.url));
  console.error(`scale: ${stage}, ${items} items`);
  const { stdout, stderr, signal, status } = spawnSync(process.execPath, [script, stage, String(items), folder], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: Math.ceil(left),
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (status !== 0 || !last.startsWith('{')) return { failure: reason(signal, stderr) };
  const result = JSON.parse(last) as ScaleResult;
  writeJson(kept, result);
  console.error(`scale: ${stage}, ${items} items: ${JSON.stringify(line(stage, items, result))}`);
  return result;
}

const TOO_LATE = `${LIMIT_SECONDS} s are over; run it again to resume`;

/** In a line, why a stage did not end. */
function reason(signal: string | null, stderr: string): string {
  if (signal === 'SIGTERM') return TOO_LATE;
  const lines = stderr.split('\n').filter((text) => /error|memory|expected|Cannot|Invalid/i.test(text));
  return (lines.at(-1) ?? signal ?? 'it printed nothing').trim().slice(0, 200);
}

function line(stage: string, items: number, result: ScaleResult | Failure) {
  if ('failure' in result) return { stage, items, seconds: NaN, projected: NaN, peakGB: NaN, note: result.failure };
  const { seconds, projected, peakGB, note } = result;
  const round = (value: number): number => Number(value.toPrecision(3));
  return { stage, items, seconds: round(seconds), projected: round(projected), peakGB: round(peakGB), note };
}

/** A stage at one size beside the first. */
function rowOf(
  stage: string,
  items: number,
  own: ScaleResult | Failure,
  first: number,
  base: ScaleResult | Failure,
): Row {
  const name = `scale ${stage}, ${items} items`;
  const common = { name, peer: null, floor: null, unit: 's', spread: 0, precision: 'float32', peerPrecision: null };
  const growth = items / first;
  const goal = `time and memory at most ${SLACK} x the growth of the items`;
  if ('failure' in own) return { ...common, ours: NaN, ratio: null, goal, reached: false, note: own.failure };
  if ('failure' in base) return { ...common, ours: own.projected, ratio: null, goal, reached: false, note: own.note };
  const [time, memory] = [own.projected / base.projected, own.peakGB / base.peakGB];
  return {
    ...common,
    ours: own.projected,
    ratio: time,
    goal,
    reached: Math.max(time, memory) <= SLACK * growth,
    note: `${own.seconds.toFixed(1)} s measured, ${own.peakGB.toFixed(2)} GB; ${time.toFixed(1)} x the time and ${memory.toFixed(1)} x the memory of ${first} items; ${own.note}`,
  };
}
