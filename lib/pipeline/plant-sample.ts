/** A sample catalogue with a fault in it, ready to train on: what the analysis of bad cases is tried on. */
import { join } from 'node:path';
import { FAULTS, PLANTABLE } from '../badcase/plant/faults.js';
import { loadShop, writeShop } from '../badcase/plant/shop-files.js';
import type { SampleOptions } from '../data/sample/sample-options.js';
import { InputError } from '../support/errors.js';
import { PipelineStages } from './stages.js';

/** Which fault, in which sample, and where to. */
export interface PlantSampleOptions extends SampleOptions {
  /** Folder: the sample without a fault, and the one with it in `planted`. */
  out: string;
  /** Name of the fault. */
  plant: string;
}

/** What was planted, and where. */
export interface PlantReport {
  fault: string;
  /** In a line. */
  what: string;
  /** Detector that should name it; null for the control. */
  cause: string | null;
  /** Data folder to train on. */
  train: string;
  /** Data folder to evaluate on, and to look for bad cases in. */
  data: string;
  /** Semantic IDs, of both. */
  index: string;
  /** Item vectors, which some detectors read. */
  embeddings: string;
}

const NAME = 'shop';

/** @throws InputError for a fault that there is not, or that is planted into lists */
export async function plantSample({ out, plant: fault, ...sample }: PlantSampleOptions): Promise<PlantReport> {
  if (!PLANTABLE.includes(fault)) {
    const lists = Object.hasOwn(FAULTS, fault) ? `; ${fault} is planted into lists, not into data` : '';
    throw new InputError(`sample: expected --plant to be one of ${PLANTABLE.join(', ')}, got ${fault}${lists}`);
  }
  const { plant, what, cause } = FAULTS[fault]!;
  const stages = new PipelineStages({ out, dataset: NAME, sample, sid: { method: 'rqkmeans' } });
  await stages.sample();
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const planted = plant(await loadShop(out, stages.index, NAME), sample.seed ?? 42);
  const data = join(out, 'planted');
  const index = writeShop(data, planted);
  const train = trainedIn(out, data, planted.controlModel === true, planted.trainedOn !== undefined);
  if (planted.trainedOn) writeShop(train, planted, planted.trainedOn);
  return { fault, what, cause, train, data, index, embeddings: stages.embeddings };
}

/** A fault of the questions alone is asked of a model of the sample without it. */
function trainedIn(out: string, data: string, control: boolean, others: boolean): string {
  if (control) return out;
  return others ? join(data, 'trained') : data;
}
