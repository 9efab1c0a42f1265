/**
 * Generated reviews, gzip, to a 5-core and its split: ours against Polars at ten million, and against plain Python in
 * the reference's manner at one million (it takes minutes for ten). Each is a process of its own, in turn with ours on
 * the same files; the floor is inflating the file and nothing else. All must write the same rows, byte for byte.
 *
 * The ratio is one of wall-clock time; the note has processor seconds too, which other work on the machine changes
 * less. SIDLAB_BENCH_REVIEWS sets another number of reviews, for Python at most a million of them.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFile, homeFolder } from 'sidlab';
import { SPLITS } from 'sidlab/data';
import { generateShop } from './filter-data.js';
import { median, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';

const ROUNDS = 3;

interface Filtered extends Timed {
  /** Seconds of processor, all threads. */
  processor: number;
}

interface Ours extends Filtered {
  bytes: number;
  peakGB: number;
}

export async function filterBench(): Promise<Row[]> {
  const count = Number(process.env.SIDLAB_BENCH_REVIEWS ?? 1e7);
  return [
    await against('python', Math.min(1e6, count), 'at most 0.1 x, same rows, under 3 GB', 0.1),
    await against('polars', count, 'at most 1 x, same rows, under 3 GB', 1),
  ];
}

/** @param most the ratio to reach */
async function against(who: 'python' | 'polars', count: number, goal: string, most: number): Promise<Row> {
  const dir = join(homeFolder(), 'data/bench');
  const { reviews, meta } = await generateShop(dir, count);
  const out = (of: string) => join(dir, `out-${of}`);
  for (const of of ['ours', who]) mkdirSync(out(of), { recursive: true });
  const script = fileURLToPath(new URL('filter-ours.js', import.meta.url));
  const own = (work: string): Ours =>
    JSON.parse(
      execFileSync(process.execPath, [script, work, reviews, meta, out('ours')], { encoding: 'utf8' }),
    ) as Ours;
  const inflated: Ours[] = [];
  const ours: Ours[] = [];
  const peers: Filtered[] = [];
  let missing: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    inflated.push(own('inflate'));
    ours.push(own('filter'));
    const peer = runPeer<Filtered>(`filter_${who}.py`, reviews, meta, out(who));
    if (typeof peer === 'string') missing = peer;
    else peers.push(peer);
  }
  const seconds = ours.map((run) => run.seconds);
  const peer = peers.length > 0 ? median(peers.map((run) => run.seconds)) : null;
  const ratio = peer === null ? null : median(seconds) / peer;
  const same = peer !== null && hashOf(out('ours')) === hashOf(out(who));
  const peak = Math.max(...ours.map((run) => run.peakGB));
  const processor = (runs: readonly Filtered[]): string => median(runs.map((run) => run.processor)).toFixed(1);
  return {
    name: `filter, against ${who}`,
    ours: median(seconds),
    peer,
    floor: median(inflated.map((run) => run.seconds)),
    unit: 's',
    precision: null,
    peerPrecision: null,
    ratio,
    goal,
    reached: ratio !== null && ratio <= most && same && peak < 3,
    spread: Math.max(...seconds) - Math.min(...seconds),
    note:
      missing ??
      `${count} reviews, ${(inflated[0]!.bytes / 1e9).toFixed(2)} GB inflated; processor seconds ${processor(ours)} to ` +
        `${processor(peers)}, inflating ${processor(inflated)}; peak ${peak.toFixed(2)} GB, ${same ? 'same rows' : 'OTHER ROWS'}`,
  };
}

function hashOf(dir: string): string {
  return SPLITS.map((split) => hashFile(join(dir, `Shop.${split}.inter`))).join();
}
