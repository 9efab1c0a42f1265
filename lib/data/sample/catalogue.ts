/**
 * The sample catalogue: its items, and the paths along which people buy them.
 *
 * A path is a line of devices with what fits it, a series of books, or a brand's goods. Items carry the path in their
 * texts (department, brand, model, series, volume), so that rare ones can be recognized by likeness.
 */
import type { Random } from '../../support/random.js';
import { AUTHORS, BRANDS, type Department, DEPARTMENTS, MODELS, QUALITIES, SUBTITLES } from './words.js';

/** An item of the sample catalogue, in the fields of Amazon's metadata. */
export interface SampleItem {
  /** As it is sold. */
  title: string;
  /** In paragraphs. */
  description: string[];
  /** Of its maker or author. */
  brand: string;
  /** From the widest to the narrowest. */
  category: string[];
}

/** Items that customers buy after one another or together. */
export interface Path {
  /** `line` and `series` are bought in order, `goods` in any. */
  kind: 'line' | 'series' | 'goods';
  /** Number of its department. */
  department: number;
  /** Positions in the catalogue's items. */
  items: number[];
  /** Relative chance that somebody starts on it. */
  weight: number;
  /** Comes to the catalogue late, when the test period is about to begin. */
  late: boolean;
}

/** The sample catalogue: its items, and how customers move through them. */
export interface Catalogue {
  /** All items. */
  items: SampleItem[];
  /** Paths along which items are bought. */
  paths: Path[];
  /** Of each department, positions in items: what is bought again. */
  supplies: number[][];
}

/** How large a sample catalogue is. */
export interface ShopSize {
  /** How many there are. */
  departments: number;
  /** Of each department. */
  lines: number;
  /** Book series of each department. */
  series: number;
  /** Of each series. */
  volumes: number;
  /** Single items of each department. */
  goods: number;
  /** Items of each department that are bought again. */
  supplies: number;
  /** Of each line. */
  accessories: number;
  /** Every how many departments one line comes late. */
  lateEvery: number;
}

/** Makes a sample catalogue. The same random state makes the same catalogue. */
export function buildCatalogue(size: ShopSize, random: Random): Catalogue {
  const shop: Catalogue = { items: [], paths: [], supplies: [] };
  const names = { brands: random.shuffle([...BRANDS]), models: random.shuffle([...MODELS]) };
  for (const [d, department] of DEPARTMENTS.slice(0, size.departments).entries()) {
    const brands = [0, 1, 2].map((b) => names.brands[(3 * d + b) % names.brands.length]!);
    for (let l = 0; l < size.lines; l++) {
      const model = names.models[(size.lines * d + l) % names.models.length]!;
      const late = l === size.lines - 1 && d % size.lateEvery === size.lateEvery - 1;
      addPath(shop, 'line', d, lineItems(department, brands[l % 3]!, model, size.accessories), late);
    }
    for (let s = 0; s < size.series; s++) {
      addPath(shop, 'series', d, seriesItems(department, s, size.volumes, random.pick(AUTHORS), random), false);
    }
    addPath(shop, 'goods', d, goodsItems(department, brands, size.goods, random), false);
    shop.supplies.push(addItems(shop, supplyItems(department, brands, size.supplies)));
  }
  weigh(shop.paths, random);
  return shop;
}

/** Long-tailed: the r-th path of a random order weighs 1 / (r + 3); a late one as much as the second. */
function weigh(paths: Path[], random: Random): void {
  for (const [rank, path] of random.shuffle([...paths]).entries()) path.weight = 1 / (path.late ? 5 : rank + 4);
}

function addPath(shop: Catalogue, kind: Path['kind'], department: number, items: SampleItem[], late: boolean): void {
  shop.paths.push({ kind, department, items: addItems(shop, items), weight: 0, late });
}

function addItems(shop: Catalogue, items: SampleItem[]): number[] {
  return items.map((item) => shop.items.push(item) - 1);
}

function lineItems(department: Department, brand: string, model: string, accessories: number): SampleItem[] {
  const { name, device, uses } = department;
  const generation = (number: number, words: string): SampleItem => ({
    title: `${brand} ${model} ${number} ${device}`,
    description: [
      `The ${words} generation of the ${model} ${device.toLowerCase()} by ${brand}.`,
      `Made for ${uses[model.length % uses.length]!}. All ${model} accessories fit.`,
    ],
    brand,
    category: ['Sample Shop', name, `${device}s`],
  });
  const fitting = department.accessories.slice(0, accessories).map((accessory) => ({
    title: `${accessory} for ${brand} ${model} ${device}`,
    description: [
      `${accessory} that fits the ${model} ${device.toLowerCase()} of ${brand}, first and second generation.`,
      `A ${name.toLowerCase()} accessory.`,
    ],
    brand,
    category: ['Sample Shop', name, 'Accessories'],
  }));
  return [generation(1, 'first'), ...fitting, generation(2, 'second')];
}

function seriesItems(
  { name, series, uses }: Department,
  which: number,
  volumes: number,
  author: string,
  random: Random,
): SampleItem[] {
  const title = series[which % series.length]!;
  const subtitles = random.shuffle([...SUBTITLES]);
  return Array.from({ length: volumes }, (_, v) => ({
    title: `${title}, Volume ${v + 1}: ${subtitles[v % subtitles.length]!}`,
    description: [
      `Volume ${v + 1} of ${title}, the series by ${author}.`,
      `A book for everyone who loves ${name.toLowerCase()} and ${uses[which % uses.length]!}.`,
    ],
    brand: author,
    category: ['Sample Shop', name, 'Books'],
  }));
}

function goodsItems({ name, goods, uses }: Department, brands: string[], count: number, random: Random): SampleItem[] {
  return goods.slice(0, count).map((noun, i) => {
    const brand = brands[i % brands.length]!;
    const quality = random.pick(QUALITIES);
    return {
      title: `${brand} ${quality} ${noun}`,
      description: [
        `A ${quality.toLowerCase()} ${noun.toLowerCase()} by ${brand}.`,
        `Good for ${uses[i % uses.length]!}, and at home in any ${name.toLowerCase()} corner.`,
      ],
      brand,
      category: ['Sample Shop', name, 'Equipment'],
    };
  });
}

function supplyItems({ name, supplies }: Department, brands: string[], count: number): SampleItem[] {
  return supplies.slice(0, count).map((noun, i) => {
    const brand = brands[i % brands.length]!;
    return {
      title: `${brand} ${noun}, Pack of ${2 + 2 * (i % 3)}`,
      description: [`${noun} by ${brand}, for everyday ${name.toLowerCase()}.`, 'Bought again and again.'],
      brand,
      category: ['Sample Shop', name, 'Supplies'],
    };
  });
}
