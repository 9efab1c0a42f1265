/** TF_CONFIG from the variables of Slurm, torchrun and MPI's launchers, as their documentation gives them. */
import { expect, test } from 'vitest';
import { parseTfConfig } from '../../lib/engine/cluster.js';
import { clusterEnv, expandNodes, expandTasks } from '../../lib/cluster/launch/cluster-env.js';

test.each([
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  ['gpu[01-03,7],x', ['gpu01', 'gpu02', 'gpu03', 'gpu7', 'x']],
  ['r[1-2]n[08-10]', ['r1n08', 'r1n09', 'r1n10', 'r2n08', 'r2n09', 'r2n10']],
  ['a[1-2].local,b-3', ['a1.local', 'a2.local', 'b-3']],
])("Slurm's list %s", (list, nodes) => {
  expect(expandNodes(list)).toEqual(nodes);
});

test("Slurm's tasks of each machine", () => {
  expect(expandTasks('2(x3),1')).toEqual([2, 2, 2, 1]);
  expect(expandTasks('4')).toEqual([4]);
});

const slurm = {
  ...{ SLURM_PROCID: '2', SLURM_NTASKS: '3', SLURM_JOB_NODELIST: 'n[1-2]', SLURM_TASKS_PER_NODE: '2,1' },
  SLURM_JOB_ID: '123456',
};
const torchrun = { RANK: '1', WORLD_SIZE: '2', LOCAL_WORLD_SIZE: '2', MASTER_ADDR: 'x', MASTER_PORT: '29500' };
const openMpi = { OMPI_COMM_WORLD_RANK: '3', OMPI_COMM_WORLD_SIZE: '4', OMPI_COMM_WORLD_LOCAL_SIZE: '2' };

test('each process has a port of its own on its machine', () => {
  expect(clusterEnv({ from: 'slurm' }, slurm)).toEqual({
    cluster: { worker: ['n1:23456', 'n1:23457', 'n2:23456'] },
    task: { type: 'worker', index: 2 },
  });
  expect(clusterEnv({ from: 'torchrun', port: 3000 }, torchrun).cluster.worker).toEqual([
    'localhost:3000',
    'localhost:3001',
  ]);
  expect(clusterEnv({ from: 'mpi', hosts: ['a', 'b'] }, openMpi)).toEqual({
    cluster: { worker: ['a:2222', 'a:2223', 'b:2222', 'b:2223'] },
    task: { type: 'worker', index: 3 },
  });
  expect(clusterEnv({ from: 'mpi' }, { PMI_RANK: '1', PMI_SIZE: '2' }).cluster.worker).toHaveLength(2);
});

test('what is printed is what the engine reads', () => {
  for (const [from, env] of Object.entries({ slurm, torchrun })) {
    const config = clusterEnv({ from: from as 'slurm' }, env);
    expect(parseTfConfig(JSON.stringify(config))).toEqual({
      addresses: config.cluster.worker,
      rank: config.task.index,
    });
  }
});

test.each([
  ['slurm', {}, 'expected SLURM_PROCID in the environment, got none'],
  ['slurm', { ...slurm, SLURM_PROCID: 'x' }, 'expected SLURM_PROCID to be a whole number, got "x"'],
  ['slurm', { ...slurm, SLURM_NTASKS: '4' }, 'expected as many tasks as SLURM_NTASKS (4), got 3 on 2 machines'],
  ['slurm', { ...slurm, SLURM_TASKS_PER_NODE: '3' }, 'got 3 on 2 machines'],
  ['slurm', { ...slurm, SLURM_PROCID: '3' }, 'expected a rank below 3, got 3'],
  ['torchrun', {}, 'expected RANK in the environment, got none; is this started by torchrun?'],
  ['mpi', openMpi, "expected --hosts with every machine of mpi's, got none"],
] as const)('%s: variables that do not fit are one line', (from, env, message) => {
  expect(() => clusterEnv({ from }, env)).toThrow(message);
  expect(() => clusterEnv({ from }, env)).toThrow(/^cluster-env: [^\n]+$/);
});

test('hosts that do not divide the processes', () => {
  expect(() => clusterEnv({ from: 'mpi', hosts: ['a', 'b', 'c'] }, openMpi)).toThrow('got 3 for 4 processes');
});
