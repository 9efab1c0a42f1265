/**
 * The sample catalogue's customers, simulated purchase by purchase in order of time.
 *
 * A shopper follows two or three paths at once and seldom stays on one for two purchases running, so that the last
 * item says less than the history: the accessory comes two or three purchases after its device, volume 3 after
 * something else that followed volume 2. A path that ends or tires gives way to another, often of the same
 * department (tastes drift). Now and then a shopper buys a supply again, or a gift that fits no path.
 */
import type { Random } from '../../support/random.js';
import type { Path, Catalogue } from './catalogue.js';

/** A shopper's habits, as chances. */
export const HABITS = {
  /** Three paths at once, else two. */
  threePaths: 0.4,
  /** The next purchase follows the same path as the last one. */
  stay: 0.36,
  /** Some popular item that fits no path. */
  gift: 0.12,
  /** A supply of a department that the shopper is in: the favourite one, once there is one. */
  supply: 0.1,
  /** Leaves out one item of an ordered path. */
  skip: 0.08,
  /** Drops a path after a purchase. */
  tire: 0.07,
  /** A new path lies in the same department as the one it replaces, or in its neighbour. */
  sameDepartment: 0.45,
  nextDepartment: 0.25,
  /** A late path draws this many times its weight when it comes. */
  novelty: 1.5,
} as const;

interface Walk {
  path: Path;
  /** Place of the next item on an ordered path. */
  at: number;
  bought: Set<number>;
}

/** A simulated customer: the paths that they are on, and what they buy again. */
export interface Shopper {
  /** Paths that they are on. */
  walks: Walk[];
  /** Which walk they bought from last. */
  last: number;
  /** Department -> the supply that is bought again. */
  favourites: Map<number, number>;
}

/** @param late whether the late paths have come to the catalogue */
export function newShopper(shop: Catalogue, late: boolean, random: Random): Shopper {
  const count = random.next() < HABITS.threePaths ? 3 : 2;
  const shopper: Shopper = { walks: [], last: 0, favourites: new Map() };
  while (shopper.walks.length < count) shopper.walks.push(newWalk(shop, shopper, late, random));
  return shopper;
}

/** @returns the position of the item bought */
export function buy(shop: Catalogue, shopper: Shopper, late: boolean, random: Random): number {
  const chance = random.next();
  if (chance < HABITS.gift) return gift(shop, late, random);
  const which = chooseWalk(shopper, random);
  const walk = shopper.walks[which]!;
  if (chance < HABITS.gift + HABITS.supply) return supply(shop, shopper, walk.path.department, random);
  shopper.last = which;
  const item = follow(walk, random);
  if (finished(walk) || random.next() < HABITS.tire) {
    shopper.walks[which] = newWalk(shop, shopper, late, random, walk.path.department);
  }
  return item;
}

function chooseWalk({ walks, last }: Shopper, random: Random): number {
  if (random.next() < HABITS.stay) return last;
  const other = random.int(walks.length - 1);
  return other < last ? other : other + 1;
}

function follow(walk: Walk, random: Random): number {
  const { path, bought } = walk;
  if (path.kind === 'goods') {
    const left = path.items.filter((item) => !bought.has(item));
    const item = left[random.weighted(left.map((one) => 1 / (path.items.indexOf(one) + 2)))]!;
    bought.add(item);
    return item;
  }
  if (walk.at > 0 && walk.at < path.items.length - 1 && random.next() < HABITS.skip) walk.at++;
  const item = path.items[walk.at++]!;
  bought.add(item);
  return item;
}

function finished({ path, at, bought }: Walk): boolean {
  return path.kind === 'goods' ? bought.size >= Math.min(4, path.items.length) : at >= path.items.length;
}

function supply(shop: Catalogue, shopper: Shopper, department: number, random: Random): number {
  const choice = shop.supplies[department]!;
  const item = shopper.favourites.get(department) ?? choice[random.weighted(choice.map((_, i) => 1 / (i + 2)))]!;
  shopper.favourites.set(department, item);
  return item;
}

function gift(shop: Catalogue, late: boolean, random: Random): number {
  const open = shop.paths.filter((path) => late || !path.late);
  return random.pick(open[random.weighted(open.map((path) => path.weight))]!.items);
}

function newWalk(shop: Catalogue, shopper: Shopper, late: boolean, random: Random, from?: number): Walk {
  const departments = shop.supplies.length;
  const chance = random.next();
  const near =
    from === undefined
      ? undefined
      : chance < HABITS.sameDepartment
        ? from
        : chance < HABITS.sameDepartment + HABITS.nextDepartment
          ? (from + 1) % departments
          : undefined;
  const taken = new Set(shopper.walks.map((walk) => walk.path));
  const weights = shop.paths.map((path) => {
    if (taken.has(path) || (path.late && !late)) return 0;
    if (near !== undefined && path.department !== near) return 0;
    return path.weight * (path.late ? HABITS.novelty : 1);
  });
  const path = weights.some((weight) => weight > 0)
    ? shop.paths[random.weighted(weights)]!
    : random.pick(shop.paths.filter((one) => !one.late));
  return { path, at: 0, bought: new Set() };
}
