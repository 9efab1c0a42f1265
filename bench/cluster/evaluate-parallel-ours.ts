/** Ours of `evaluate-parallel`: one of the processes, or the only one. Usage: node evaluate-parallel-ours.js JOB RESULTS */
import { evaluateStage, useEngine } from 'sidlab';
import { joinCluster, leaveCluster } from 'sidlab/cluster';
import type { EvaluatedTogether } from './evaluate-parallel.js';

const [job, results] = process.argv.slice(2) as [string, string];
const cluster = await joinCluster();
if (!cluster) await useEngine();
cluster?.barrier();
const start = performance.now();
const options = { ...(JSON.parse(job) as Parameters<typeof evaluateStage>[0]), results };
const { rows, item } = await evaluateStage(options);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, rows, ndcg: item['NDCG@10']! } satisfies EvaluatedTogether));
await leaveCluster(true);
