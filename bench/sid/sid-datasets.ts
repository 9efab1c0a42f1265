/**
 * Every method on every data set of `../shared/data`, by the functions that `sidlab sid` and `sid quality` call: does it
 * end, with no two items on one SID, and what does the quality report say.
 */
import { join } from 'node:path';
import { homeFolder, SID_METHODS, sidQualityStage, sidStage } from 'sidlab';
import { DATASETS, datasetVectors } from './dataset-vectors.js';
import type { Row } from '../row.js';

export async function sidDatasets(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of DATASETS) {
    const data = join(homeFolder(), 'data/sid-datasets', name);
    const embeddings = await datasetVectors(name, data);
    for (const method of SID_METHODS) {
      const row = await measure(name, data, embeddings, method);
      console.error(`${row.name}: ${row.note}`);
      rows.push(row);
    }
  }
  return rows;
}

async function measure(
  dataset: string,
  data: string,
  embeddings: string,
  method: (typeof SID_METHODS)[number],
): Promise<Row> {
  const index = join(data, `${method}.index.json`);
  const report = await sidStage({ embeddings, index, method });
  const quality = await sidQualityStage({ index, embeddings, data, dataset, limits: { collision: 0 } });
  const { items, collision, codesUsed, mse, seconds } = report;
  const agrees = quality.collision.raw === collision.raw && close(quality.levels.at(-1)!.mse ?? NaN, mse);
  const { neighbours } = quality.prefixes[0]!;
  return {
    name: `${dataset} ${method}`,
    ours: collision.final,
    peer: null,
    floor: null,
    precision: 'float32',
    peerPrecision: null,
    unit: 'final collisions',
    ratio: null,
    goal: '0, and a quality report that agrees',
    reached: quality.pass && agrees,
    spread: 0,
    note:
      `${items} items, raw collisions ${collision.raw.toFixed(4)}, codes used ${codesUsed.join(', ')}, ` +
      `mse ${mse.toExponential(2)}, neighbours ${neighbours?.toFixed(2)}, ${seconds.toFixed(1)} s`,
  };
}

const close = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * b;
