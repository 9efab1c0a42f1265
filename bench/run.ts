/**
 * `npm run bench -- NAME... [--json]`: one row a name, ours beside a peer measured in the same run.
 *
 * Every row says the processor and both precisions. `ratio` is ours over peer; `goal` what it is to reach.
 */
import { InputError, useEngine } from 'sidlab';
import { deviceName } from 'sidlab/engine';
import { BENCHMARKS } from './benchmarks.js';
import { peerFailures } from './peer.js';
import { runBenchmarks } from './run-benchmarks.js';

try {
  process.exitCode = await runBenchmarks({
    args: process.argv.slice(2),
    benchmarks: BENCHMARKS,
    hasPeers: Boolean(process.env.SIDLAB_PEERS),
    failures: peerFailures,
    machine: async () => ({ engine: await useEngine(), cpu: deviceName() }),
    print: (line) => console.log(line),
    complain: (line) => console.error(line),
  });
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message); // of data that are missing or a variable that is wrong; the stack says nothing more
  process.exitCode = 1;
}
