/**
 * A sum over two processes on this machine: tensors of 1 and 400 MB through TensorFlow's ring, in slices, beside Gloo
 * (torch.distributed). Every number is compared. What a loopback says of a network is what the two cost in copies.
 */
import { inTurn, peerFolder, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';
import { inProcesses } from './processes.js';

/** What a process measured. */
export interface Reduced extends Timed {
  /** Bytes of the peak above the tensor. */
  above: number;
}

const [GOAL, MOST] = [0.28, 1e9];

export async function allreduceBench(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [megabytes, repetitions] of [
    [1, 50],
    [400, 3],
  ] as const) {
    const folder = peerFolder({ megabytes, repetitions, port: 20_000 + (process.pid % 20_000) });
    const { times, ours, peer } = await inTurn(
      3,
      () => inProcesses<Reduced>(2, 'allreduce-ours.js', String(megabytes), String(repetitions)),
      () => runPeer<Timed>('allreduce.py', folder),
    );
    const rate = (seconds: number): string => `${((megabytes * 1e6) / seconds / 1e9).toFixed(2)} GB/s`;
    const gib = (ours.above / 2 ** 30).toFixed(2);
    const large = megabytes === 400;
    rows.push({
      name: `allreduce-${megabytes}mb`,
      ...times,
      floor: null,
      unit: 's',
      goal: large ? `Gloo's rate times ${GOAL}, at most 1 GB above the tensor` : 'logged',
      reached: !large || (ours.above <= MOST && times.ratio !== null && times.ratio <= 1 / GOAL),
      precision: 'float32',
      note:
        typeof peer === 'string'
          ? peer
          : `${rate(times.ours)} beside ${rate(times.peer!)}; ${gib} GiB above the tensor`,
    });
  }
  return rows;
}
