/**
 * Two of the planted faults in a real catalogue: items without training history, and histories that are dealt to others,
 * in Industrial's rows with three seeds, and a control without. Reported, no goal. It resumes, in `data/planted-industrial`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { evaluateStage, homeFolder, sft } from 'sidlab';
import { FAULTS, loadShop, writeShop } from 'sidlab/badcase';
import { writeJson } from 'sidlab/files';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';
import { askedSeeds } from '../seeds.js';
import { analyse, type PlantedFinding, plantedRows } from './planted-faults.js';
import { RECIPE } from './run-planted.js';

const NAME = 'Industrial_and_Scientific';
const PLANTED = ['control', 'cold-start', 'dealt-histories'];
const EPOCHS = 8;

export async function plantedIndustrial(): Promise<Row[]> {
  const shop = await industrialShop('planted-industrial');
  const findings: PlantedFinding[] = [];
  for (const seed of askedSeeds('SIDLAB_PLANTED_SEEDS', 3)) {
    for (const fault of PLANTED) {
      const data = join(homeFolder(), 'data/planted-industrial', `seed-${seed}`, fault);
      const run = { ...(await plantedRun(shop, data, fault, seed)), embeddings: embeddingsOf(shop.data) };
      const finding = await analyse(run, fault, seed);
      writeJson(join(data, 'finding.json'), finding);
      console.error(JSON.stringify(finding));
      findings.push(finding);
    }
  }
  return plantedRows(findings)
    .filter(({ peer }) => peer! > 0)
    .map((row) => ({ ...row, name: `Industrial, ${row.name}`, goal: 'reported', reached: true }));
}

const embeddingsOf = (data: string): string => join(data, `${NAME}.emb-lsa.npy`);

async function plantedRun(
  { data: base, index }: { data: string; index: string },
  data: string,
  fault: string,
  seed: number,
) {
  const planted = FAULTS[fault]!.plant(await loadShop(base, index, NAME), seed);
  writeShop(data, planted);
  const model = planted.controlModel ? join(data, '../control/run/model') : join(data, 'run/model');
  const found = { data, index: join(data, `${NAME}.index.json`), results: join(data, 'results.jsonl'), model };
  if (existsSync(found.results)) return found;
  if (!planted.controlModel) {
    const options = { ...RECIPE, epochs: EPOCHS, evalEpochs: EPOCHS, validRows: 100, seed };
    await sft({ ...options, data, index: found.index, run: join(data, 'run') }, { whenStale: 'replace' });
  }
  await evaluateStage({ data, index: found.index, model, results: found.results });
  return found;
}
