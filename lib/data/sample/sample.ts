/**
 * The sample catalogue: a believable small data set, seeded, written as Amazon-2018 raw files.
 *
 * What it is for: a quickstart without a download, and tests that know the truth. Its signal lies in the history and
 * less in the last item (see customers.ts); popularity has a long tail; a few lines come to the catalogue just before
 * the test period, so that cold items exist.
 */
import { join } from 'node:path';
import { writeAllAtomic } from '../../files/files.js';
import { Random } from '../../support/random.js';
import type { CatalogueItem } from '../raw/shelf.js';
import type { Review } from '../raw/reviews.js';
import {
  SAMPLE_OPTIONS,
  type SampleOptions,
  type SampleSize,
  WRITE_SAMPLE_OPTIONS,
  type WriteSampleOptions,
} from './sample-options.js';
import { buildCatalogue, type SampleItem, type ShopSize } from './catalogue.js';
import { buy, newShopper, type Shopper } from './customers.js';

/** A sample catalogue with its reviews, in memory. */
export interface SampleCatalogue {
  /** In the order of time. */
  reviews: Review[];
  /** In the shape of the metadata file. */
  items: (SampleItem & { asin: string })[];
}

interface Size extends ShopSize {
  users: number;
  /** Mean number of purchases of a user beyond the fewest. */
  purchases: number;
}

// prettier-ignore
const SIZES: Record<SampleSize, Size> = {
  tiny: { users: 120, purchases: 4, departments: 4, lines: 1, series: 1, volumes: 5, goods: 2, supplies: 2, accessories: 4, lateEvery: 4 },
  small: { users: 1500, purchases: 5.7, departments: 12, lines: 3, series: 3, volumes: 6, goods: 9, supplies: 5, accessories: 4, lateEvery: 3 },
};

const DAY = 86_400;
const OPENS = Date.UTC(2014, 0, 1) / 1000;
const CLOSES = Date.UTC(2018, 8, 30) / 1000;
/** The late lines come when this share of all purchases is made: shortly before the last tenth. */
const LATE = 0.88;

/** @throws InputError for an unknown size */
export function sampleCatalogue(options: SampleOptions = {}): SampleCatalogue {
  const { size, seed } = SAMPLE_OPTIONS.parse(options);
  const random = new Random(`sample ${size} ${seed}`);
  const shop = buildCatalogue(SIZES[size], random);
  const visits = visitTimes(SIZES[size], random);
  const shoppers = new Map<number, Shopper>();
  const asins = shop.items.map((_, i) => `B${String(100_000_000 + ((i * 7_919_317) % 899_999_999))}`);
  const reviews = visits.map(({ user, time }, i) => {
    const late = i >= LATE * visits.length;
    const shopper = shoppers.get(user) ?? newShopper(shop, late, random);
    shoppers.set(user, shopper);
    const item = buy(shop, shopper, late, random);
    return { user: `A${String(10_000 + user)}`, asin: asins[item]!, stars: stars(random), time };
  });
  return { reviews, items: shop.items.map((item, i) => ({ asin: asins[i]!, ...item })) };
}

/** What `writeSample` gives back: how much was written, and where. */
export interface SampleReport {
  /** Customers. */
  users: number;
  /** In the catalogue. */
  items: number;
  /** Reviews that were written. */
  reviewCount: number;
  /** Files. */
  reviews: string;
  /** File of item texts. */
  meta: string;
}

/** Writes `reviews.jsonl.gz` and `meta.jsonl.gz`. */
export function writeSample(options: WriteSampleOptions): SampleReport {
  const { out, ...sample } = WRITE_SAMPLE_OPTIONS.parse(options);
  const { reviews, items } = sampleCatalogue(sample);
  const files = { reviews: join(out, 'reviews.jsonl.gz'), meta: join(out, 'meta.jsonl.gz') };
  const lines = reviews.map(({ user, asin, stars: overall, time }) =>
    JSON.stringify({ reviewerID: user, asin, overall, unixReviewTime: time }),
  );
  writeAllAtomic([
    [files.reviews, lines.join('\n') + '\n'],
    [files.meta, items.map((item) => JSON.stringify(item)).join('\n') + '\n'],
  ]);
  return {
    users: new Set(reviews.map((review) => review.user)).size,
    items: items.length,
    reviewCount: reviews.length,
    ...files,
  };
}

/** The sample's items as `readMetadata` would give them. */
export function sampleItems(items: SampleCatalogue['items']): CatalogueItem[] {
  return items.map(({ asin, title, description, brand, category }) => ({
    asin,
    title,
    description: description.join(' '),
    brand,
    categories: category.join(', '),
  }));
}

/** When each user buys, all users together in order of time. One in twenty buys too seldom for the usual core. */
function visitTimes({ users, purchases }: Size, random: Random): { user: number; time: number }[] {
  const visits: { user: number; time: number }[] = [];
  for (let user = 0; user < users; user++) {
    const many = 5 + Math.floor(-Math.log(1 - random.next()) * purchases);
    const count = random.next() < 0.05 ? 1 + random.int(4) : Math.min(many, 40);
    const start = OPENS + random.next() * (CLOSES - 60 * DAY - OPENS);
    const span = Math.min(count * (15 + 40 * random.next()) * DAY, CLOSES - start);
    for (let i = 0; i < count; i++)
      visits.push({ user, time: Math.floor(start + ((i + random.next()) / count) * span) });
  }
  return visits.sort((a, b) => a.time - b.time); // stable: at one time the smaller user first
}

function stars(random: Random): number {
  return 1 + random.weighted([3, 3, 8, 22, 64]);
}
