/** The benchmarks of `npm run bench`, by name. */
import { allreduceBench } from './cluster/allreduce.js';
import { clusterOverhead } from './cluster/cluster-overhead.js';
import { evaluateParallel } from './cluster/evaluate-parallel.js';
import { shardOptimizer } from './cluster/shard-optimizer.js';
import { sftParallel } from './cluster/sft-parallel.js';
import { balancedAssignBench } from './sid/balanced-assign.js';
import { beamBench } from './decode/beam.js';
import { embedBench } from './embed.js';
import { evaluateMemory } from './decode/evaluate-memory.js';
import { evaluateSmall } from './decode/evaluate-small.js';
import { filter100m } from './data/filter-100m.js';
import { filterBench } from './data/filter.js';
import { generateBench } from './generate.js';
import { grpoQuality } from './train/grpo-quality.js';
import { grpoReal } from './train/grpo-real.js';
import { grpoStep } from './train/grpo-step.js';
import { industrialQuality } from './industrial-quality.js';
import { kmeansLarge } from './sid/kmeans-large.js';
import { kmeansMiniBatch } from './sid/kmeans-minibatch.js';
import { kmeansBench } from './sid/kmeans.js';
import { loadBench } from './load/load.js';
import { loadBf16 } from './load/load-bf16.js';
import { ml100k } from './train/ml-100k.js';
import { plantedFaults } from './planted/planted-faults.js';
import { plantedIndustrial } from './planted/planted-industrial.js';
import { precisionQuality } from './train/precision-quality.js';
import { pretrainedQuality } from './pretrained/pretrained-quality.js';
import { pretrainedText } from './pretrained/pretrained-text.js';
import { quickstartQuality } from './quickstart-quality.js';
import { rqkmeansConstrained } from './sid/rqkmeans-constrained.js';
import { rqkmeansPlusBench } from './sid/rqkmeans-plus.js';
import { rqvaeBench } from './sid/rqvae.js';
import type { Benchmark, Row } from './row.js';
import { scaleBench } from './sid/scale.js';
import { scoreBench } from './evaluate/score.js';
import { sequenceBench } from './train/sequence.js';
import { sftQuality } from './train/sft-quality.js';
import { sftReal } from './train/sft-real.js';
import { sftSmall } from './train/sft-small.js';
import { sftStep } from './train/sft-step.js';
import { tablesBench } from './evaluate/tables.js';
import { sidDatasets } from './sid/sid-datasets.js';
import { sidMethods } from './sid/sid-methods.js';
import { smallProducts } from './small-products.js';
import { strategyGain } from './strategies/strategy-gain.js';
import { taskQuality } from './train/task-quality.js';
import { trainEstimate } from './train/train-estimate.js';

const alone = (run: () => Promise<Row[]>): Benchmark => ({ run, peers: false });
const besidePython = (run: () => Promise<Row[]>): Benchmark => ({ run, peers: true });

export const BENCHMARKS: Record<string, Benchmark> = {
  filter: besidePython(filterBench),
  'filter-100m': alone(filter100m),
  embed: besidePython(embedBench),
  'quickstart-quality': alone(quickstartQuality),
  'industrial-quality': alone(industrialQuality),
  'ml-100k': alone(ml100k),
  tables: alone(tablesBench),
  'sid-methods': alone(sidMethods),
  'sid-datasets': alone(sidDatasets),
  'rqkmeans-constrained': besidePython(rqkmeansConstrained),
  load: besidePython(loadBench),
  'load-bf16': besidePython(loadBf16),
  generate: besidePython(generateBench),
  'beam-50': besidePython(() => beamBench(50)),
  'beam-20': besidePython(() => beamBench(20)),
  score: besidePython(scoreBench),
  'evaluate-small': alone(evaluateSmall),
  'evaluate-memory': alone(evaluateMemory),
  'planted-faults': alone(plantedFaults),
  'planted-industrial': alone(plantedIndustrial),
  'pretrained-quality': alone(pretrainedQuality),
  'pretrained-text': besidePython(pretrainedText),
  'precision-quality': alone(precisionQuality),
  sasrec: besidePython(() => sequenceBench('sasrec')),
  gru4rec: besidePython(() => sequenceBench('gru4rec')),
  'sft-quality': alone(sftQuality),
  'grpo-quality': alone(grpoQuality),
  'sft-real': besidePython(sftReal),
  'sft-small': besidePython(sftSmall),
  'strategy-gain': alone(strategyGain),
  'task-quality': alone(taskQuality),
  'train-estimate': alone(trainEstimate),
  'small-products': alone(smallProducts),
  'sft-step': besidePython(sftStep),
  'sft-step-answers': besidePython(sftStep),
  'sft-memory': besidePython(sftStep),
  'grpo-step': besidePython(grpoStep),
  'grpo-memory': besidePython(grpoStep),
  'grpo-real': alone(grpoReal),
  'kmeans-large': besidePython(kmeansLarge),
  'kmeans-minibatch': alone(kmeansMiniBatch),
  rqvae: besidePython(rqvaeBench),
  'rqkmeans-plus': alone(rqkmeansPlusBench),
  kmeans: besidePython(kmeansBench),
  'balanced-assign': besidePython(balancedAssignBench),
  scale: alone(scaleBench),
  allreduce: besidePython(allreduceBench),
  'sft-parallel': alone(sftParallel),
  'evaluate-parallel': alone(evaluateParallel),
  'cluster-overhead': alone(clusterOverhead),
  'shard-optimizer': alone(shardOptimizer),
};
