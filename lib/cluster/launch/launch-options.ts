/** Options of the commands that start processes of a cluster. */
import { choice, integer, texts } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Launchers whose variables `clusterEnv` reads. */
export const LAUNCHERS = ['slurm', 'torchrun', 'mpi'] as const;
/** A name of `LAUNCHERS`. */
export type Launcher = (typeof LAUNCHERS)[number];

/** Declares the options of `cluster-env`. */
export const CLUSTER_ENV_OPTIONS = defineOptions('cluster-env', {
  from: choice(LAUNCHERS, 'launcher whose variables say which process this is', { required: true }),
  hosts: texts('machines in the order of their ranks, as many processes on each; for torchrun and mpi on several'),
  port: integer('port of the first process of each machine; the next ones follow', {
    min: 1024,
    max: 65000,
    otherwise: '2222; of slurm 20000 and the last four digits of the job',
  }),
});

/** Options of `clusterEnv`. */
export interface ClusterEnvOptions extends OptionsOf<typeof CLUSTER_ENV_OPTIONS> {}

/** Declares the options of `local`. */
export const LOCAL_OPTIONS = defineOptions('local', {
  processes: integer('processes on this machine; threads, and GPUs where there are any, are dealt out', {
    required: true,
    max: 1024,
  }),
});

/** Options of `local`. */
export interface LocalOptions extends OptionsOf<typeof LOCAL_OPTIONS> {}
