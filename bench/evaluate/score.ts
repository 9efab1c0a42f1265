/**
 * `sidlab score` of 100,000 rows x 50 items, one a user: reading, HR, NDCG and MRR at 1 to 50 and 1,000 bootstrap samples of
 * all 18. The peer is NumPy, vectorised: orjson a line, ranks by one comparison of matrices, resamples by `bincount` and
 * products or by categories of equal users, whichever is faster. Ours draws resamples by categories, which has the same
 * distribution; it also hashes the file, checks its lists and makes slices.
 * SIDLAB_SCORE_ROWS: other rows, for a trial.
 */
import { join } from 'node:path';
import { Random, type Result, writeResults } from 'sidlab';
import { inTurn, peerFolder, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

export interface Scored extends Timed {
  /** Of HR@10 and NDCG@10: mean and the ends of its interval. */
  metrics: Record<string, [mean: number, low: number, high: number]>;
}

interface Peer extends Scored {
  /** Of reading alone, and of all with either way to draw resamples. */
  reading: number;
  byUsers: number;
  byCategories: number;
}

const [ROWS, ITEMS, GOAL, MOST] = [Number(process.env.SIDLAB_SCORE_ROWS ?? 100_000), 50, 0.25, 10];

export async function scoreBench(): Promise<Row[]> {
  const folder = peerFolder({ samples: 1000, seed: 42 });
  writeResults(join(folder, 'results.jsonl'), randomResults());
  const { times, ours, peer } = await inTurn(
    3,
    () => runOurs<Scored>('evaluate/score-ours.js', folder),
    () => runPeer<Peer>('score.py', folder),
  );
  const missing = typeof peer === 'string';
  const apart = missing ? NaN : furthest(ours, peer);
  return [
    {
      name: ROWS === 100_000 ? 'score' : `score-${ROWS}`,
      ...times,
      floor: null,
      unit: 's',
      goal: `${GOAL} of NumPy, at most ${MOST} s`,
      reached: times.ours <= MOST && times.ratio !== null && times.ratio <= GOAL,
      precision: null,
      note: missing
        ? peer
        : `means and interval ends at most ${apart.toExponential(1)} apart; NumPy reads ${peer.reading.toFixed(2)} s, in all ` +
          `${peer.byUsers.toFixed(2)} s with resamples by users, ${peer.byCategories.toFixed(2)} s by categories`,
    },
  ];
}

function furthest(ours: Scored, peer: Peer): number {
  const pairs = Object.entries(ours.metrics).flatMap(([metric, of]) =>
    of.map((x, i) => Math.abs(x - peer.metrics[metric]![i]!)),
  );
  return Math.max(...pairs);
}

/** Scores are float32, as a beam search has them; half of the lists have the target. */
function randomResults(): Result[] {
  const random = new Random('bench/score');
  const catalogue = 20_000;
  return Array.from({ length: ROWS }, (_, row): Result => {
    const items = new Set<number>();
    while (items.size < ITEMS) items.add(random.int(catalogue));
    const list = [...items];
    let score = 0;
    const scores = list.map(() => Math.fround((score -= random.next() / 4)));
    const target = random.next() < 0.5 ? list[Math.floor(ITEMS * random.next() ** 2)]! : catalogue + 1;
    const history = Array.from({ length: 1 + random.int(10) }, () => random.int(catalogue));
    return { user: `A${row}`, history, target, items: list, scores };
  });
}
