/**
 * `TF_CONFIG` from the variables that Slurm, torchrun and MPI's launchers give to every process that they start:
 *
 *   srun bash -c 'TF_CONFIG=$(sidlab cluster-env --from slurm) sidlab sft ...'
 *
 * Slurm's variables name all machines; torchrun's and MPI's do not, so on several machines `--hosts` does.
 */
import { hostname } from 'node:os';
import { InputError } from '../../support/errors.js';
import { CLUSTER_ENV_OPTIONS, type ClusterEnvOptions } from './launch-options.js';

/** The value of `TF_CONFIG`. */
export interface TfConfig {
  cluster: { worker: string[] };
  task: { type: 'worker'; index: number };
}

type Env = Readonly<Record<string, string | undefined>>;

/** @param env default this process's @throws InputError for variables that are missing or do not fit each other */
export function clusterEnv(options: ClusterEnvOptions, env: Env = process.env): TfConfig {
  const { from, hosts, port } = CLUSTER_ENV_OPTIONS.parse(options);
  if (from === 'slurm') return slurm(env, port ?? 20000 + (Number(env.SLURM_JOB_ID ?? 0) % 10000));
  const [rank, size, own] = from === 'torchrun' ? torchrun(env) : mpi(env);
  return config(from, rank, places(from, size, own, hosts), port ?? 2222);
}

function slurm(env: Env, port: number): TfConfig {
  const rank = count(env, 'slurm', ['SLURM_PROCID']);
  const size = count(env, 'slurm', ['SLURM_NTASKS', 'SLURM_NPROCS']);
  const nodes = expandNodes(value(env, 'slurm', ['SLURM_STEP_NODELIST', 'SLURM_JOB_NODELIST', 'SLURM_NODELIST']).text);
  const tasks = expandTasks(value(env, 'slurm', ['SLURM_STEP_TASKS_PER_NODE', 'SLURM_TASKS_PER_NODE']).text);
  const all = nodes.flatMap((node, n) => Array<string>(tasks[n] ?? 0).fill(node));
  if (all.length !== size || tasks.length !== nodes.length) {
    const got = `${all.length} on ${nodes.length} machines`;
    throw new InputError(`cluster-env: expected as many tasks as SLURM_NTASKS (${size}), got ${got}; call it in srun`);
  }
  return config('slurm', rank, all, port);
}

/** @returns rank, size, and processes on this machine */
function torchrun(env: Env): [number, number, number] {
  const names = ['RANK', 'WORLD_SIZE', 'LOCAL_WORLD_SIZE'];
  return names.map((name) => count(env, 'torchrun', [name])) as [number, number, number];
}

function mpi(env: Env): [number, number, number] {
  const [rank, size] = [
    ['OMPI_COMM_WORLD_RANK', 'PMI_RANK', 'PMIX_RANK'],
    ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE'],
  ].map((names) => count(env, 'mpi', names)) as [number, number];
  const own = ['OMPI_COMM_WORLD_LOCAL_SIZE', 'MPI_LOCALNRANKS'];
  return [rank, size, own.some((name) => env[name]) ? count(env, 'mpi', own) : size];
}

/** The machine of each process. */
function places(from: string, size: number, own: number, hosts: readonly string[] | undefined): string[] {
  const machines = hosts ?? (own === size ? [size > 1 ? 'localhost' : hostname()] : []);
  const each = size / machines.length;
  if (machines.length > 0 && Number.isInteger(each)) {
    return machines.flatMap((machine) => Array<string>(each).fill(machine));
  }
  const got = machines.length === 0 ? 'none' : `${machines.length} for ${size} processes`;
  throw new InputError(`cluster-env: expected --hosts with every machine of ${from}'s, got ${got}; name them in order`);
}

/** A port of its own for each process of a machine. */
function config(from: string, index: number, hosts: readonly string[], port: number): TfConfig {
  if (index >= hosts.length) {
    throw new InputError(`cluster-env: expected a rank below ${hosts.length}, got ${index}; ${from} has set both`);
  }
  const used = new Map<string, number>();
  const worker = hosts.map((host) => {
    const own = used.get(host) ?? 0;
    used.set(host, own + 1);
    return `${host}:${port + own}`;
  });
  return { cluster: { worker }, task: { type: 'worker', index } };
}

function value(env: Env, from: string, names: readonly string[]): { name: string; text: string } {
  const name = names.find((of) => env[of] !== undefined && env[of] !== '');
  if (name !== undefined) return { name, text: env[name]! };
  throw new InputError(`cluster-env: expected ${names[0]} in the environment, got none; is this started by ${from}?`);
}

function count(env: Env, from: string, names: readonly string[]): number {
  const { name, text } = value(env, from, names);
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InputError(`cluster-env: expected ${name} to be a whole number, got ${JSON.stringify(text)}`);
}

/** `gpu[01-03,7],x` -> `gpu01`, `gpu02`, `gpu03`, `gpu7`, `x` */
export function expandNodes(list: string): string[] {
  const parts = list.match(/[^,[\]]+(?:\[[^\]]*\][^,[\]]*)*/g) ?? [];
  return parts.flatMap(expandNode);
}

function expandNode(node: string): string[] {
  const [whole, before, ranges, after] = /^(.*?)\[([^\]]*)\](.*)$/.exec(node) ?? [];
  if (whole === undefined) return [node];
  const numbers = ranges!.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-') as [string, string?];
    const length = Math.max(0, Number(to) - Number(from) + 1) || 0;
    return Array.from({ length }, (_, i) => String(Number(from) + i).padStart(from.length, '0'));
  });
  return numbers.flatMap((number) => expandNode(`${before}${number}${after}`));
}

/** `2(x3),1` -> 2, 2, 2, 1 */
export function expandTasks(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, tasks = 'NaN', times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return Array<number>(Number(times)).fill(Number(tasks));
  });
}
