/**
 * Which processes compute together: `TF_CONFIG`, as TensorFlow's own strategies, Kubeflow's operators and Slurm's
 * wrappers set it, and the description of TensorFlow's server that is made of it before the engine loads
 * (`kernels/tensorflow/cluster.cc` joins the cluster while tfjs-node makes its context).
 *
 * Departures from `tf.distribute`: chief and workers are one list, the chief first, so that a rank is a place in it; a
 * cluster of one process is none, and no port is opened for it.
 */
import { InputError } from '../support/errors.js';

/** Processes that compute together, and which of them this is. */
export interface ClusterConfig {
  /** `host:port` of each process, in the order of their ranks. */
  addresses: readonly string[];
  /** Of this process, from 0. Rank 0 writes what a run writes. */
  rank: number;
}

const EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}';

/**
 * @param text `TF_CONFIG`
 * @returns undefined where it is not set, or names one process
 * @throws InputError for anything that is no cluster of workers
 */
export function parseTfConfig(text: string | undefined): ClusterConfig | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  const { cluster, task } = objectOf(text);
  const { chief, worker, ...others } = fieldsOf(cluster);
  const other = Object.keys(others)[0];
  if (other !== undefined) throw wrong('jobs chief and worker', `job ${other}`, 'leave it out of cluster');
  const jobs = { chief: addressesOf('chief', chief), worker: addressesOf('worker', worker) };
  const addresses = [...jobs.chief, ...jobs.worker];
  if (jobs.chief.length > 1) throw wrong('one chief', `${jobs.chief.length}`, 'make the others workers');
  const twice = addresses.find((address, i) => addresses.indexOf(address) < i);
  if (twice !== undefined) throw wrong('an address for each process', `${twice} twice`, 'give each a port of its own');
  const rank = rankOf(fieldsOf(task), jobs);
  return addresses.length === 1 ? undefined : { addresses, rank };
}

let known: { text: string | undefined; config: ClusterConfig | undefined } | undefined;

/** The cluster that `TF_CONFIG` in the environment describes. @throws InputError as `parseTfConfig` */
export function clusterConfig(): ClusterConfig | undefined {
  const text = process.env.TF_CONFIG;
  if (known?.text !== text || known === undefined) known = { text, config: parseTfConfig(text) };
  return known.config;
}

/** Leaves word for the addon to join the cluster, if there is one. Before the addon loads: later is too late. */
export function announceCluster(config = clusterConfig()): void {
  delete process.env.SIDLAB_CLUSTER_JOINED; // of a parent
  if (!config) return void delete process.env.SIDLAB_SERVER_DEF;
  process.env.SIDLAB_SERVER_DEF = serverDef(config); // Node's process.env is the C environment
  process.env.SIDLAB_CLUSTER_SIZE = String(config.addresses.length);
  process.env.SIDLAB_CLUSTER_RANK = String(config.rank);
  process.env.SIDLAB_CLUSTER_MET = '0'; // there from the start: a thread reads it, and the environment must not move
  // What the runtime writes about a peer that is gone is in the error of the call too, which becomes one line.
  if (process.env.TF_CPP_MIN_LOG_LEVEL === '2') process.env.TF_CPP_MIN_LOG_LEVEL = '3';
}

/** Tells the addon that all processes have come: one that does not answer for a while is gone. */
export function announceMeeting(): void {
  process.env.SIDLAB_CLUSTER_MET = '1';
}

/** @returns whether the addon, now that it is loaded, has joined */
export function hasJoined(): boolean {
  return process.env.SIDLAB_CLUSTER_JOINED === '1';
}

/** @param why the engine did not load in a cluster @returns the error for it */
export function joinError({ addresses, rank }: ClusterConfig, why: string): InputError {
  const port = /Could not start gRPC server|UNKNOWN/i.test(why);
  return port
    ? wrong(`${addresses[rank]} free to listen on`, `none (${why})`, 'stop what uses the port, or give another')
    : new InputError(`TF_CONFIG: expected the tensorflow engine, which alone runs in several processes, got ${why}`);
}

function wrong(expected: string, got: string, mend: string): InputError {
  return new InputError(`TF_CONFIG: expected ${expected}, got ${got}; ${mend}`);
}

function objectOf(text: string): Record<string, unknown> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof InputError) throw error;
    const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
    throw wrong(`JSON such as ${EXAMPLE}`, JSON.stringify(shown), 'unset it to run in one process');
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(`cluster and task as in ${EXAMPLE}`, JSON.stringify(value) ?? 'none', 'unset it to run in one process');
}

function addressesOf(job: string, value: unknown = []): string[] {
  const fits = (address: unknown): boolean => {
    const port = typeof address === 'string' ? /^\S+:(\d{1,5})$/.exec(address)?.[1] : undefined;
    return port !== undefined && Number(port) > 0 && Number(port) < 65536;
  };
  if (Array.isArray(value) && value.every(fits)) return value as string[];
  throw wrong(`a list of host:port for ${job}`, JSON.stringify(value), 'ports are from 1 to 65535');
}

function rankOf(task: Record<string, unknown>, jobs: { chief: string[]; worker: string[] }): number {
  const { type } = task;
  const index = Number(task.index);
  if (type !== 'chief' && type !== 'worker') {
    throw wrong('task.type chief or worker', JSON.stringify(type) ?? 'none', 'only these compute here');
  }
  if (!(Number.isInteger(index) && index >= 0 && index < jobs[type].length)) {
    const range = jobs[type].length === 0 ? `a ${type} in cluster` : `task.index from 0 to ${jobs[type].length - 1}`;
    throw wrong(range, JSON.stringify(task.index) ?? 'none', 'each process of the cluster has an index of its own');
  }
  return type === 'chief' ? index : jobs.chief.length + index;
}

/**
 * A `tensorflow.ServerDef` in hexadecimal. Without a group leader nobody meets; the filter keeps the others' devices out
 * of this process's list, whose last processor tfjs-node computes on.
 */
export function serverDef({ addresses, rank }: ClusterConfig): string {
  const tasks = addresses.flatMap((address, i) => bytes(2, [...int(1, i), ...text(2, address)]));
  const job = bytes(1, [...text(1, 'worker'), ...tasks]);
  const leader = text(1, '/job:worker/replica:0/task:0'); // ConfigProto.Experimental.collective_group_leader
  const session = [...text(4, `/job:worker/task:${rank}`), ...bytes(16, leader)]; // device_filters, experimental
  return Buffer.from([
    ...bytes(1, job),
    ...text(2, 'worker'),
    ...int(3, rank),
    ...bytes(4, session),
    ...text(5, 'grpc'),
  ]).toString('hex');
}

// The three kinds of protobuf's fields that a ServerDef needs.

function varint(n: number): number[] {
  const out: number[] = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n & 127) | 128);
  return [...out, n];
}

const int = (field: number, n: number): number[] => [...varint(field * 8), ...varint(n)];

const bytes = (field: number, content: readonly number[]): number[] => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content,
];

const text = (field: number, value: string): number[] => bytes(field, [...Buffer.from(value)]);
