/**
 * Two of the planted faults in a real catalogue: items without training history, and histories that are dealt to others,
 * in Industrial's rows with three seeds, and a control without. Reported, no goal. It resumes, in `data/planted-industrial`;
 * SIDLAB_PLANTED_SEEDS as for `planted-faults`.
 */
import { join } from 'node:path';
import { homeFolder } from 'sidlab';
import { industrialShop } from '../industrial-shop.js';
import type { Row } from '../row.js';
import { askedSeeds } from '../seeds.js';
import { findingOf, type PlantedFinding, plantedRows } from './planted-faults.js';
import { FULL, runFault } from './run-planted.js';

const NAME = 'Industrial_and_Scientific';
const PLANTED = ['control', 'cold-start', 'dealt-histories'];

export async function plantedIndustrial(): Promise<Row[]> {
  const home = join(homeFolder(), 'data/planted-industrial');
  const { data, index } = await industrialShop('planted-industrial');
  const base = { data, index, name: NAME, embeddings: join(data, `${NAME}.emb-lsa.npy`) };
  const findings: PlantedFinding[] = [];
  for (const seed of askedSeeds('SIDLAB_PLANTED_SEEDS', 3)) {
    const runs = join(home, `seed-${seed}`);
    for (const fault of PLANTED) {
      findings.push(await findingOf(await runFault({ ...base, runs }, fault, seed, FULL.epochs), fault, seed));
    }
  }
  return plantedRows(findings)
    .filter(({ peer }) => peer! > 0)
    .map((row) => ({ ...row, name: `Industrial, ${row.name}`, goal: 'reported', reached: true }));
}
