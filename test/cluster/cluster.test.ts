/** Collectives between processes of the built package, against the same numbers computed here. */
import { expect } from 'vitest';
import { expectBuilt } from '../train/grpo/run-and-kill.js';
import { clusterTest as test, freePorts, inProcesses, said, script, startAll, tfConfig } from './processes.js';

expectBuilt();

test.each([2, 4])('%d processes: sums, copies, values, orders and errors', async (size) => {
  const all = await inProcesses(
    size,
    `
    const { rank, size } = cluster;
    say([rank, size, cluster.isFirst]);
    const own = [tf.tensor1d([rank, 2 ** rank, -1]), tf.scalar(rank + 0.5), tf.fill([2, 3], 10 ** rank)];
    const sums = cluster.sum(own);
    say(sums.map((sum) => [sum.shape, [...sum.dataSync()]]));
    say(tf.memory().numTensors - sums.length);
    const weight = tf.variable(tf.tensor2d([rank, 7 + rank, 1, 2], [2, 2]));
    cluster.copyFirst([weight]);
    say([...weight.dataSync()]);
    say(cluster.numbers([rank + 0.1, -0, 1e300, rank]).map((row) => row.map(String)));
    say(cluster.exchange({ rank, text: 'é'.repeat(rank * 20) }).map(({ rank, text }) => [rank, text.length]));
    say(await cluster.first(() => 'only ' + rank));
    const raised = async (work) => { try { await work(); return 'none'; } catch (error) { return error.message; } };
    say(await raised(() => cluster.first(() => { throw new Error('of the first'); })));
    say(await raised(() => cluster.together(() => { if (rank === 1) throw new Error('of the second'); })));
    say(await cluster.together(() => rank * 2));
    say(await raised(() => cluster.expectSame({ a: 1, b: rank < 1 ? [2] : [3] })));
    say(await raised(() => cluster.expectSame({ a: 1 })));
    say([0, 1].map((root) => [...cluster.broadcast([2], root, tf.tensor1d([rank, 9 - rank])).dataSync()]));
    say(process.env.SIDLAB_CLUSTER_MET); // from the first call on, one that does not answer is gone
    ${size === 2 ? SLICES : ''}
    `,
  );
  const ranks = [...Array(size).keys()];
  const total = (of: (rank: number) => number): number => ranks.map(of).reduce((a, b) => a + b);
  const ten = total((rank) => 10 ** rank);
  for (const rank of ranks) {
    expect(all[rank]!.slice(0, 14)).toEqual([
      [rank, size, rank === 0],
      [
        [[3], [total((r) => r), total((r) => 2 ** r), -size]],
        [[], [total((r) => r + 0.5)]],
        [[2, 3], Array<number>(6).fill(ten)],
      ],
      0,
      [0, 7, 1, 2],
      ranks.map((r) => [String(r + 0.1), '0', '1e+300', String(r)]),
      ranks.map((r) => [r, r * 20]),
      'only 0',
      'of the first',
      rank === 1 ? 'of the second' : 'process 1: of the second',
      rank * 2,
      'cluster: expected the same b in all processes, got [2] in process 0, [3] in process 1; ' +
        'start all with the same command, data and version',
      'none',
      [
        [0, 9],
        [1, 8],
      ],
      '1',
    ]);
  }
  if (size === 2) expectSlices(all[0]!.slice(14), all[1]!.slice(14));
});

/** Vectors longer than a slice are summed in pieces, to the same bits as whole ones. */
const SLICES = `
    const { addPacked } = await import('./dist/cluster/index.js');
    const { Random } = await import('./dist/support/index.js');
    const random = new Random(cluster.rank);
    const numbers = Array.from({ length: 1000 }, () => random.normal());
    const calls = [];
    const through = (slice) => {
      calls.length = 0;
      const collective = (x) => { calls.push(x.size); return cluster.collectives.allReduce(x); };
      return addPacked([tf.tensor1d(numbers), tf.tensor2d(numbers.slice(0, 30), [5, 6]), tf.scalar(1)], collective, slice);
    };
    for (const slice of [1 << 20, 999, 64, 7]) {
      const sums = through(slice);
      say([calls.length, Math.max(...calls), sums.map(({ shape }) => shape), sums.flatMap((sum) => [...sum.dataSync()])]);
    }
    say([new Random(0), new Random(1)].map((r) => Math.fround(r.normal())).reduce((a, b) => Math.fround(a + b)));
`;

function expectSlices(first: unknown[], second: unknown[]): void {
  expect(second).toEqual(first);
  const [whole, ...cut] = first as [number, number, number[][], number[]][];
  const shapes = [[1000], [5, 6], []];
  expect(whole!.slice(0, 3)).toEqual([1, 1031, shapes]);
  expect(cut.slice(0, 3).map((of) => of.slice(0, 3))).toEqual([
    [3, 999, shapes],
    [17, 64, shapes],
    [143 + 6, 7, shapes],
  ]);
  for (const of of cut.slice(0, 3)) expect(of[3]).toEqual(whole![3]);
  expect(whole![3][0]).toBe(first.at(-1));
}

test('a process that dies, and one that hangs, are one line in the others', async () => {
  // as if all had met, and the other had gone before it ever answered: not a wait until the timeout
  const env = { TF_CONFIG: tfConfig(await freePorts(2), 0), SIDLAB_CLUSTER_TIMEOUT: '60' };
  const met = "await (await import('./dist/engine/index.js')).useEngine(); process.env.SIDLAB_CLUSTER_MET = '1';";
  const neverSeen = startAll(1, ['--input-type=module', '-e', `${met} ${script('')}`], { env });
  const rounds = 'for (let i = 0; i < 1e6; i++) { cluster.numbers([i]); if (i === 20) say("at work"); }';
  const dead = await startAll(2, ['--input-type=module', '-e', script(rounds)], {
    started: (child, rank) => rank === 1 && child.stdout!.once('data', () => child.kill('SIGKILL')),
  });
  expect(dead[1]!.signal).toBe('SIGKILL');
  expect(dead[0]!.status).toBe(1);
  expect(dead[0]!.err).toMatch(/^cluster: expected all processes to live, got one that is gone \(.*\n$/);

  const hung = await startAll(2, ['--input-type=module', '-e', script(rounds)], {
    env: { SIDLAB_CLUSTER_TIMEOUT: '4' },
    started: (child, rank) => {
      if (rank === 1) hanging = child;
      if (rank === 1) return;
      child.stdout!.once('data', () => hanging?.kill('SIGSTOP')); // the other is stopped once this one is at work
      child.on('exit', () => setTimeout(() => hanging?.kill('SIGKILL'), 10));
    },
  });
  expect(said(hung[0]!)).toEqual(['at work']);
  expect([hung[0]!.status, hung[0]!.signal]).toEqual([1, null]);
  expect(hung[0]!.err).toMatch(/^cluster: expected all processes within 4 s, got no answer \(.*\n$/);

  const [left] = await neverSeen;
  expect(left!.err).toMatch(/^cluster: expected all processes to live, got one that is gone \(.*\n$/);
});

let hanging: { kill(signal: NodeJS.Signals): boolean } | undefined;
