/**
 * The data set that the `filter` benchmark reads: reviews and metadata in the shape of Amazon's 2018 raw files, gzip.
 * Users and items are drawn with skew, so that a 5-core takes several rounds; times are whole days, so that ties are
 * common; some titles are empty, marked up or too long.
 */
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Random } from 'sidlab';

const WORDS = (
  'great product works well bought this for my husband and he loves it very sturdy fits as expected would buy again ' +
  'arrived on time good quality not what i expected returned after two days cheap plastic easy to install instructions ' +
  'were clear battery lasts long color is nice size runs small highly recommend five stars perfect exactly described'
).split(' ');

export interface ShopFiles {
  reviews: string;
  meta: string;
}

/** Writes the files unless they stand; equal counts give equal bytes. */
export async function generateShop(dir: string, count: number): Promise<ShopFiles> {
  const [users, items] = [Math.ceil(count * 0.15), Math.ceil(count * 0.03)];
  mkdirSync(dir, { recursive: true });
  const files = { reviews: join(dir, `reviews-${count}.jsonl.gz`), meta: join(dir, `meta-${count}.jsonl.gz`) };
  if (!existsSync(files.meta)) await writeLines(files.meta, items, metaLine);
  if (!existsSync(files.reviews)) {
    await writeLines(files.reviews, count, (_, random) => reviewLine(random, users, items));
  }
  return files;
}

/** Reviews of a part file: each is written by itself, so that a generation which was stopped goes on. */
const PART = 1e7;

/** The same shop in part files of ten million reviews; of `reviews` the path is a pattern. */
export async function generateShopInParts(dir: string, count: number): Promise<ShopFiles> {
  const [users, items] = [Math.ceil(count * 0.15), Math.ceil(count * 0.03)];
  const folder = join(dir, `parts-${count}`);
  mkdirSync(folder, { recursive: true });
  const meta = join(folder, 'meta.jsonl.gz');
  if (!existsSync(meta)) await writeLines(meta, items, metaLine);
  for (let from = 0; from < count; from += PART) {
    const path = join(folder, `part-${from / PART}.jsonl.gz`);
    const lines = Math.min(PART, count - from);
    if (!existsSync(path)) await writeLines(path, lines, (_, random) => reviewLine(random, users, items));
  }
  return { reviews: join(folder, 'part-*.jsonl.gz'), meta };
}

function reviewLine(random: Random, users: number, items: number): string {
  const user = Math.floor(users * random.next() ** 1.7);
  const item = Math.floor(items * random.next() ** 4);
  const time = 86400 * (10957 + random.int(6800)); // days of 2000 to 2018
  const verified = random.next() < 0.8;
  const style = random.next() < 0.2 ? `"style": {"Size:": " ${random.int(12)} in"}, ` : '';
  const text = words(random, 4 + random.int(16)) + (random.next() < 0.1 ? ' \\"really\\" d\\u00e9j\\u00e0 vu\\n' : '');
  return (
    `{"overall": ${1 + random.int(5)}.0, "verified": ${verified}, "reviewerID": "${userName(user)}", ` +
    `"asin": "${itemName(item)}", ${style}"reviewerName": "${words(random, 2)}", ` +
    `"reviewText": "${text}.", "summary": "${words(random, 3)}", "unixReviewTime": ${time}}\n`
  );
}

function metaLine(index: number, random: Random): string {
  const fault = random.next();
  const title = fault < 0.01 ? '' : fault < 0.02 ? 'A <span>marked</span> title' : words(random, fault < 0.04 ? 24 : 6);
  const description = [words(random, 12)];
  return `${JSON.stringify({ asin: itemName(index), title, description, brand: words(random, 1), category: ['All', words(random, 1)] })}\n`;
}

function userName(index: number): string {
  return 'A' + ((index * 7919 + 36 ** 7) % 36 ** 8).toString(36).toUpperCase().padStart(13, '0');
}

function itemName(index: number): string {
  return 'B' + ((index * 104729) % 36 ** 6).toString(36).toUpperCase().padStart(9, '0');
}

function words(random: Random, count: number): string {
  let text = random.pick(WORDS);
  for (let i = 1; i < count; i++) text += ' ' + random.pick(WORDS);
  return text;
}

async function writeLines(path: string, count: number, line: (i: number, random: Random) => string): Promise<void> {
  const random = new Random(`bench ${path.split('/').at(-1)!}`);
  const temporary = `${path}.tmp`;
  const gzip = createGzip({ level: 4 });
  const out = createWriteStream(temporary);
  gzip.pipe(out);
  for (let i = 0; i < count;) {
    let block = '';
    for (const end = Math.min(count, i + 5000); i < end; i++) block += line(i, random);
    if (!gzip.write(block)) await once(gzip, 'drain');
  }
  gzip.end();
  await finished(out);
  renameSync(temporary, path);
}
