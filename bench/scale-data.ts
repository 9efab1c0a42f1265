/**
 * The sample data set of `npm run bench -- scale`: N items, ten interactions an item, in the shape of Amazon's 2018 raw
 * files, and vectors of the items that a filter left.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { Random, type Vectors } from 'sidlab';

const WORDS = (
  'steel brass copper nylon rubber bolt nut washer hinge bracket drill bit saw blade tape hose valve pump filter gasket ' +
  'cable clamp wire switch relay fuse lamp sensor motor belt pulley gear bearing spring handle knob wheel caster anchor'
).split(' ');
const DAY = 86_400;
const OPENS = Date.UTC(2012, 0, 1) / 1000;
const DAYS = 2400;

/** Raw files of a data set. */
export interface RawFiles {
  reviews: string;
  meta: string;
}

/**
 * Writes the raw files unless they are there. Every item is bought at least five times and every user buys ten times, so
 * that a filter of one purchase an item and five a user keeps all; beyond, items are drawn with skew.
 */
export async function writeRaw(folder: string, items: number): Promise<RawFiles> {
  mkdirSync(folder, { recursive: true });
  const files = { reviews: join(folder, 'reviews.jsonl'), meta: join(folder, 'meta.jsonl') };
  if (!existsSync(files.meta)) await writeLines(files.meta, items, metaLine);
  if (!existsSync(files.reviews)) {
    const line = (i: number, random: Random): string => {
      const item = i < 5 * items ? i % items : Math.floor(items * random.next() ** 2);
      const user = Math.floor(((i * 7919) % (10 * items)) / 10); // ten purchases each, spread over the file
      const time = OPENS + DAY * random.int(DAYS);
      return `{"reviewerID": "A${user}", "asin": "B${item}", "overall": ${1 + random.int(5)}.0, "unixReviewTime": ${time}}\n`;
    };
    await writeLines(files.reviews, 10 * items, line);
  }
  return files;
}

function metaLine(i: number, random: Random): string {
  const title = Array.from({ length: 5 }, () => random.pick(WORDS)).join(' ');
  return `{"asin": "B${i}", "title": "${title} ${i}", "description": ["${random.pick(WORDS)}"], "brand": "${random.pick(WORDS)}", "category": ["All", "${WORDS[i % 20]}"]}\n`;
}

async function writeLines(path: string, count: number, line: (i: number, random: Random) => string): Promise<void> {
  const random = new Random(`scale ${count}`);
  const out = createWriteStream(`${path}.tmp`);
  for (let i = 0; i < count;) {
    let block = '';
    for (const end = Math.min(count, i + 5000); i < end; i++) block += line(i, random);
    if (!out.write(block)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
  renameSync(`${path}.tmp`, path);
}

/** Rows around 5,000 centres, of length about 1 [rows, width]. */
export function sampleVectors(rows: number, width: number): Vectors {
  const random = new Random('scale vectors');
  const centres = Float32Array.from({ length: 5000 * width }, () => random.next() - 0.5);
  const data = new Float32Array(rows * width);
  const scale = 3 / Math.sqrt(width);
  for (let i = 0, at = 0; i < rows; i++) {
    const centre = random.int(5000) * width;
    for (let j = 0; j < width; j++, at++) data[at] = scale * (centres[centre + j]! + 0.4 * (random.next() - 0.5));
  }
  return { rows, width, data };
}
