/**
 * Whether a named cause is a cause: seven faults are planted into sample shops one at a time, a model is trained in each,
 * and the analysis of its bad cases is to name the planted cause first. A control without a fault is to name none.
 *
 * It resumes: every run keeps its data, model and results below `data/planted-faults`. SIDLAB_PLANTED_SEEDS says how many
 * seeds of each (10), or which (`3-4`).
 */
import { join } from 'node:path';
import { badCases, homeFolder, readResults } from 'sidlab';
import { loadDataset, readIndex } from 'sidlab/data';
import { readNpy, writeJson } from 'sidlab/files';
import { FAULTS } from 'sidlab/badcase';
import type { Row } from '../row.js';
import { askedSeeds } from '../seeds.js';
import { FULL, type PlantedRun, runPlanted } from './run-planted.js';

/** What the analysis of one run said. */
export interface PlantedFinding {
  fault: string;
  seed: number;
  /** Named causes, the first one first. */
  named: string[];
  /** Failure rate. */
  failed: number;
}

/** Share of the runs with a fault whose cause is to be named first ... */
const FIRST = 0.85;
/** ... and of the runs of each fault. */
const EACH = 0.7;
/** Share of the controls in which a cause may be named. */
const CONTROL = 0.2;

export async function plantedFaults(): Promise<Row[]> {
  const home = join(homeFolder(), 'data/planted-faults');
  const findings: PlantedFinding[] = [];
  // seeds outside, so that a benchmark that is cut short has every fault as often
  for (const seed of askedSeeds('SIDLAB_PLANTED_SEEDS', 10)) {
    for (const fault of Object.keys(FAULTS)) {
      findings.push(await findingOf(await runPlanted(home, fault, seed, FULL), fault, seed));
    }
  }
  return plantedRows(findings);
}

/** What a run's bad cases say; kept beside its results, and shown. */
export async function findingOf(run: PlantedRun, fault: string, seed: number): Promise<PlantedFinding> {
  const finding = await analyse(run, fault, seed);
  writeJson(join(run.data, 'finding.json'), finding);
  console.error(JSON.stringify(finding));
  return finding;
}

/** Without the model, whose detector would rank every row twice more. */
async function analyse(
  { data, results, index, embeddings }: PlantedRun,
  fault: string,
  seed: number,
): Promise<PlantedFinding> {
  const dataset = await loadDataset(data);
  const inputs = { index: readIndex(index, dataset.items.length), vectors: readNpy(embeddings) };
  const { rows, failed, named } = badCases(await readResults(results), dataset, inputs);
  return { fault, seed, named, failed: failed / rows };
}

/** A row a fault, one of all of them, and one of the controls. */
export function plantedRows(findings: readonly PlantedFinding[]): Row[] {
  const planted = Object.entries(FAULTS).filter(([, { cause }]) => cause !== null);
  const first = (of: readonly PlantedFinding[]): number =>
    of.filter(({ fault, named }) => named[0] === FAULTS[fault]!.cause).length;
  const runsOf = (name: string): PlantedFinding[] => findings.filter(({ fault }) => fault === name);
  const withFault = findings.filter(({ fault }) => FAULTS[fault]!.cause !== null);
  const control = runsOf('control');
  const wrong = control.filter(({ named }) => named.length > 0);
  const others = (of: readonly PlantedFinding[]): string =>
    of.map(({ seed, named }) => `seed ${seed}: ${named.join(', ') || 'none'}`).join('; ');
  return [
    ...planted.map(([name, { cause }]) =>
      countRow(
        `${name}: ${cause} first`,
        first(runsOf(name)),
        runsOf(name),
        EACH,
        others(runsOf(name).filter(({ named }) => named[0] !== cause)),
      ),
    ),
    countRow('all faults', first(withFault), withFault, FIRST),
    {
      ...countRow('control: a cause is named', wrong.length, control, 0, others(wrong)),
      goal: `at most ${CONTROL} of the runs`,
      reached: wrong.length <= CONTROL * control.length,
    },
  ];
}

function countRow(name: string, count: number, runs: readonly PlantedFinding[], goal: number, note = ''): Row {
  const ratio = count / Math.max(1, runs.length);
  return {
    ...{ name, ours: count, peer: runs.length, floor: null, unit: 'runs', ratio },
    ...{ goal: `at least ${goal} of the runs`, reached: runs.length > 0 && ratio >= goal, spread: 0 },
    ...{ precision: 'float32', peerPrecision: null },
    ...(note !== '' && { note }),
  };
}
