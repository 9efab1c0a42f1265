/**
 * The processes that compute one stage together, as one of them sees it.
 *
 * All processes run the same program and call the same methods in the same order. Sums are the same bits in all of
 * them, so what is decided from them is decided alike; what one alone can know (a file, a signal, an error) is told to
 * the others by `first`, `together` or `exchange` before anybody acts on it.
 */
import * as tf from '@tensorflow/tfjs';
import { clusterConfig } from '../engine/cluster.js';
import { ensureEngine } from '../engine/engine.js';
import { InputError } from '../support/errors.js';
import { largest } from '../support/extremes.js';
import { setNoticeSink, setProgressSink } from '../support/progress.js';
import { wholeNumbersOf } from '../support/values-of.js';
import { Collectives, isBroken } from './collectives.js';
import { addPacked, broadcastWhole, type Collective } from './packed.js';

/** Seconds that a process waits for the others, where `SIDLAB_CLUSTER_TIMEOUT` says nothing else. */
const TIMEOUT = 1800;

/** Milliseconds that a process stays when it is done: its last bytes may still be under way. */
const LINGER = 500;

/** Another type in which tensors are sent. */
export interface Wire {
  /** Of a float32 tensor. */
  narrow: (x: tf.Tensor) => tf.Tensor;
  /** Back to float32. */
  widen: (x: tf.Tensor) => tf.Tensor;
}

/** A process's part in a cluster. */
export class Cluster {
  private readonly collectives: Collectives;
  /** Seconds spent in sums of gradients, and numbers summed: for the share of communication. */
  readonly spent = { seconds: 0, numbers: 0 };

  /** @param rank of this process, from 0 @param size number of processes @param timeout seconds */
  constructor(
    readonly rank: number,
    readonly size: number,
    timeout: number,
  ) {
    this.collectives = new Collectives(rank, size, timeout);
  }

  /** Whether this process writes the files of a run and talks to the user. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /**
   * Sums over the processes, packed: as few collectives as slices of 16 MB allow.
   * @param tensors float32, of the same shapes in all processes; they are disposed of
   * @param wire another type for the way: what is sent, and back to float32. Default none
   */
  sum(tensors: readonly tf.Tensor[], wire?: Wire): tf.Tensor[] {
    const start = performance.now();
    const sum: Collective = (x) => this.collectives.allReduce(x);
    const sums = addPacked(tensors, wire ? (x) => tf.tidy(() => wire.widen(sum(wire.narrow(x)))) : sum);
    this.spent.seconds += (performance.now() - start) / 1000;
    this.spent.numbers += sums.reduce((sum, { size }) => sum + size, 0);
    return sums;
  }

  /** Process 0's numbers in every process's variables. */
  copyFirst(variables: Iterable<tf.Variable>): void {
    for (const variable of variables) tf.tidy(() => void variable.assign(this.broadcast(variable.shape, 0, variable)));
  }

  /**
   * A tensor of one process in all.
   * @param root the process that has it
   * @param own the tensor, float32; looked at in `root` alone
   * @returns the caller's
   */
  broadcast(shape: readonly number[], root: number, own?: tf.Tensor): tf.Tensor {
    const sent = this.rank === root ? own : undefined;
    return broadcastWhole(shape, sent, (x) => this.collectives.broadcast(x, root));
  }

  /** Numbers of every process, by rank, to the last bit. @param values as many in all processes */
  numbers(values: readonly number[]): number[][] {
    const own = new Int32Array(1 + 2 * values.length);
    own[0] = this.rank;
    own.set(new Int32Array(Float64Array.from(values).buffer), 1);
    return this.gatherRows(own).map((row) => [...new Float64Array(row.slice(1).buffer)]);
  }

  /** A value of every process, by rank. @param value that survives JSON */
  exchange<T>(value: T): T[] {
    return this.bytes(Buffer.from(JSON.stringify(value ?? null))).map((text) => JSON.parse(text.toString()) as T);
  }

  /** Numbers of every process, by rank, to the last bit; each may have as many as it likes. */
  floats(own: Float32Array): Float32Array[] {
    const all = this.bytes(Buffer.from(own.buffer, own.byteOffset, own.byteLength));
    return all.map(({ buffer, byteOffset, length }) => new Float32Array(buffer, byteOffset, length / 4));
  }

  /** Whole numbers of every process, by rank; each may have as many as it likes. */
  integers(own: Int32Array): Int32Array[] {
    const all = this.bytes(Buffer.from(own.buffer, own.byteOffset, own.byteLength));
    return all.map(({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4));
  }

  /** @returns those of every process, by rank, at places that are whole words */
  private bytes(content: Buffer): Buffer<ArrayBuffer>[] {
    const longest = largest(this.numbers([content.length]).map(([length]) => length!));
    const words = 2 ** Math.ceil(Math.log2(Math.max(16, Math.ceil(longest / 4)))); // few shapes, so few instance keys
    const own = new Int32Array(2 + words);
    own[0] = this.rank;
    own[1] = content.length;
    Buffer.from(own.buffer, 8).set(content);
    return this.gatherRows(own).map((row) => Buffer.from(row.buffer as ArrayBuffer, row.byteOffset + 8, row[1]));
  }

  /**
   * What process 0 makes of it, in all processes. An error is one in all of them.
   * @param work run by process 0 alone; its value must survive JSON
   */
  async first<T>(work: () => T | Promise<T>): Promise<T> {
    const own: Outcome<T> = this.isFirst ? await outcome(work) : {};
    const [{ error, ...there }] = this.exchange(told(own)) as [Told<T>];
    if (own.error !== undefined) throw own.error;
    if (error !== undefined) throw new InputError(error);
    return this.isFirst ? own.value! : there.value!;
  }

  /** Every process's own value; where one of them throws, all do. */
  async together<T>(work: () => T | Promise<T>): Promise<T> {
    const own = await outcome(work);
    const errors = this.exchange(told({ ...(own.error !== undefined && { error: own.error }) }));
    if (own.error !== undefined) throw own.error;
    const rank = errors.findIndex(({ error }) => error !== undefined);
    if (rank >= 0) throw new InputError(`process ${rank}: ${(errors[rank] as Told<T>).error!}`);
    return own.value as T;
  }

  /**
   * @param of what must be the same in all processes, such as a run's configuration
   * @throws InputError in all of them, with the first thing that differs
   */
  expectSame(of: Readonly<Record<string, unknown>>): void {
    const all = this.exchange(of);
    all.forEach((other, rank) => {
      const names = [...new Set([...Object.keys(all[0]!), ...Object.keys(other)])];
      const name = names.find((key) => JSON.stringify(all[0]![key]) !== JSON.stringify(other[key]));
      if (name === undefined) return;
      const [there, here] = [all[0]![name], other[name]].map((value) => JSON.stringify(value) ?? 'none');
      throw new InputError(
        `cluster: expected the same ${name} in all processes, got ${there} in process 0, ${here} in process ${rank}; ` +
          'start all with the same command, data and version',
      );
    });
  }

  /** Waits until all are here. */
  barrier(): void {
    this.numbers([0]);
  }

  /** The rows of all processes, sorted by rank, which is each one's first number: gathered they are in order of names. */
  private gatherRows(own: Int32Array): Int32Array[] {
    const all = wholeNumbersOf(() => this.collectives.gather(tf.tensor2d(own, [1, own.length], 'int32')));
    const rows = Array.from({ length: this.size }, (_, i) => all.slice(i * own.length, (i + 1) * own.length));
    return rows.sort((a, b) => a[0]! - b[0]!);
  }
}

interface Outcome<T> {
  value?: T;
  error?: unknown;
}

interface Told<T> {
  value?: T;
  error?: string;
}

async function outcome<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: error ?? new Error('undefined was thrown') };
  }
}

function told<T>({ value, error }: Outcome<T>): Told<T> {
  if (error === undefined) return { value: value as T };
  return { error: error instanceof Error ? error.message : String(error) };
}

let joined: Cluster | undefined;

/**
 * The cluster of this process, joined at the first call: loads the engine and waits for the
 * others. Process 0 alone tells what goes on.
 * @returns undefined where there is no `TF_CONFIG`, or one of a single process
 * @throws InputError if it cannot be joined, or not all come in time
 */
export async function joinCluster(): Promise<Cluster | undefined> {
  const config = clusterConfig();
  if (!config || joined) return config && joined;
  await ensureEngine();
  joined = new Cluster(config.rank, config.addresses.length, timeoutSeconds());
  joined.barrier();
  if (!joined.isFirst) {
    setNoticeSink(() => undefined);
    setProgressSink(() => undefined);
  }
  return joined;
}

/**
 * Before a process ends: its last bytes are sent, and the others' received.
 * @param well whether it ends as planned, so that the others end too; else nobody is waited for
 */
export async function leaveCluster(well: boolean): Promise<void> {
  if (!joined) return;
  if (well && !isBroken()) joined.barrier();
  await new Promise((resolve) => setTimeout(resolve, LINGER));
}

function timeoutSeconds(): number {
  const text = process.env.SIDLAB_CLUSTER_TIMEOUT;
  const seconds = text === undefined || text === '' ? TIMEOUT : Number(text);
  if (seconds > 0 && Number.isFinite(seconds)) return seconds;
  throw new InputError(`SIDLAB_CLUSTER_TIMEOUT: expected seconds above 0, got ${text}; unset it for ${TIMEOUT}`);
}
