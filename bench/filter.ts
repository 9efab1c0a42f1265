/**
 * Ten million generated reviews, gzip, to a 5-core and its split: ours against plain Python in the reference's manner
 * and against Polars, each in a process of its own; the floor is inflating the file and nothing else. All three must
 * write the same rows, byte for byte.
 *
 * SIDLAB_BENCH_REVIEWS sets another number of reviews.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashFile, homeFolder, SPLITS } from 'sidlab';
import { generateShop } from './filter-data.js';
import { median, runPeer, type Timed } from './peer.js';
import type { Row } from './run.js';

const ROUNDS = 3;

interface Ours extends Timed {
  bytes: number;
  peakGB: number;
}

export async function filterBench(): Promise<Row[]> {
  const count = Number(process.env.SIDLAB_BENCH_REVIEWS ?? 1e7);
  const dir = join(homeFolder(), 'data/bench');
  const { reviews, meta } = await generateShop(dir, count);
  const out = (who: string) => join(dir, `out-${who}`);
  for (const who of ['ours', 'python', 'polars']) mkdirSync(out(who), { recursive: true });
  const own = (work: string): Ours => {
    const script = fileURLToPath(new URL('filter-ours.js', import.meta.url));
    return JSON.parse(
      execFileSync(process.execPath, [script, work, reviews, meta, out('ours')], { encoding: 'utf8' }),
    ) as Ours;
  };
  const peer = (who: string) => runPeer<Timed>(`filter_${who}.py`, reviews, meta, out(who));

  const python = peer('python'); // once: it takes minutes
  const [ours, floors, polars]: [Ours[], Ours[], (Timed | string)[]] = [[], [], []];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(own('inflate'));
    ours.push(own('filter'));
    polars.push(peer('polars'));
  }
  const seconds = ours.map((run) => run.seconds);
  const peak = Math.max(...ours.map((run) => run.peakGB));
  const rowOf = (who: string, run: number | string, goal: string, most: number): Row => {
    const peerSeconds = typeof run === 'number' ? run : null;
    const ratio = peerSeconds === null ? null : median(seconds) / peerSeconds;
    const same = peerSeconds !== null && hashOf(out('ours')) === hashOf(out(who));
    const note = `${count} reviews, ${(floors[0]!.bytes / 1e9).toFixed(2)} GB inflated, peak ${peak.toFixed(2)} GB, ${same ? 'same rows' : 'OTHER ROWS'}`;
    return {
      name: `filter, against ${who}`,
      ours: median(seconds),
      peer: peerSeconds,
      floor: median(floors.map((run) => run.seconds)),
      unit: 's',
      ratio,
      goal,
      reached: ratio !== null && ratio <= most && same && peak < 3,
      spread: Math.max(...seconds) - Math.min(...seconds),
      note: typeof run === 'string' ? run : note,
    };
  };
  const times = polars.filter((run) => typeof run !== 'string').map((run) => run.seconds);
  return [
    rowOf('python', typeof python === 'string' ? python : python.seconds, 'at most 0.1 x, same rows, under 3 GB', 0.1),
    rowOf('polars', times.length > 0 ? median(times) : (polars[0] as string), 'at most 1 x, same rows, under 3 GB', 1),
  ];
}

function hashOf(dir: string): string {
  return SPLITS.map((split) => hashFile(join(dir, `Shop.${split}.inter`))).join();
}
