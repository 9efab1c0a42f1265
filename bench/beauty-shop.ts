/**
 * Amazon Beauty 2014 of `../shared/data` as a data folder: the published rows, leave-one-out, and LETTER's published index,
 * whose item numbers are those of the rows. Texts are not published.
 */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { filterStage, homeFolder, InputError } from 'sidlab';

/** @throws InputError where the data are missing */
export async function beautyShop(): Promise<{ data: string; index: string }> {
  const published = join(homeFolder(), '../shared/data/beauty');
  if (!existsSync(published)) throw new InputError(`${published}: no such folder; the benchmark needs the real data`);
  const data = join(homeFolder(), 'data/beauty-tables');
  const index = join(data, 'Beauty.index.json');
  const reviews = join(published, 'Beauty.inter.json');
  await filterStage({ reviews, out: data, dataset: 'Beauty', userK: 5, itemK: 1, split: 'leave-one-out' });
  cpSync(join(published, 'Beauty.index.json'), index);
  return { data, index };
}
