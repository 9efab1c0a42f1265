/** What a benchmark measures: ours beside a peer of the same run. */

/** One line of a benchmark. */
export interface Row {
  name: string;
  ours: number;
  /** Null where there is none, or it could not run; `note` says why. */
  peer: number | null;
  /** What no implementation can beat, where it was measured. */
  floor: number | null;
  unit: string;
  /** Ours over peer. */
  ratio: number | null;
  /** What `ratio` is to reach. */
  goal: string;
  reached: boolean;
  /** Of ours over its repetitions: largest minus smallest. */
  spread: number;
  /** That our products ran in; null where nothing is multiplied in floating point. */
  precision: string | null;
  /** That the peer's products ran in: the fastest for it here, measured; of training the way (`peers/training.py`). */
  peerPrecision: string | null;
  /** In a line: what both reached, or why the peer is missing. */
  note?: string;
}

/** A benchmark of `npm run bench`. */
export interface Benchmark {
  run: () => Promise<Row[]>;
  /** Whether it is compared with Python: without the peers it is left out. */
  peers: boolean;
}
