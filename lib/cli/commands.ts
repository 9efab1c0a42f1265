/** The commands: each a thin call of one library function, whose code is loaded when it runs. */
import { CLUSTER_ENV_OPTIONS, LOCAL_OPTIONS } from '../cluster/launch/launch-options.js';
import { defineOptions } from '../options/schema.js';
import type { Command } from './command.js';
import { DATA_COMMANDS } from './commands/data-commands.js';
import { RANK_COMMANDS } from './commands/rank-commands.js';
import { checked } from './commands/shared.js';
import { SID_COMMANDS } from './commands/sid-commands.js';
import { TRAIN_COMMANDS } from './commands/train-commands.js';
import { pipelineCommand } from './pipeline-command.js';
import { sweepCommand } from './sweep-command.js';

/** All commands by name, in the order of `sidlab --help`. */
export const COMMANDS: Record<string, Command> = {
  doctor: {
    summary: 'what runs here: engine, precision, speed, and what is missing',
    schema: defineOptions('doctor', {}),
    run: async () => (await import('../engine/doctor.js')).doctor(),
  },
  pipeline: pipelineCommand,
  ...DATA_COMMANDS,
  ...SID_COMMANDS,
  ...TRAIN_COMMANDS,
  sweep: sweepCommand(() => COMMANDS),
  ...RANK_COMMANDS,
  local: {
    summary: 'a command in several processes on this machine: sidlab local --processes 2 -- sft --data DIR',
    schema: LOCAL_OPTIONS,
    wraps: true,
    run: async (values, _extra, wrapped = []) =>
      (await import('../cluster/launch/local.js')).local(checked(values), process.argv[1]!, wrapped),
  },
  'cluster-env': {
    summary: "TF_CONFIG of this process from another launcher's variables: slurm, torchrun, mpi",
    schema: CLUSTER_ENV_OPTIONS,
    run: async (values) => (await import('../cluster/launch/cluster-env.js')).clusterEnv(checked(values)),
    print: (config) => JSON.stringify(config),
  },
};
