/**
 * The (p, q)-core of a data set's interactions: what is left when users with fewer than p interactions and items with
 * fewer than q are removed, again and again, until all have enough. (Batagelj & Zaversnik, "Generalized cores", 2002;
 * MiniOneRec's filter with one k for both.) The core is unique: the order of removal does not matter.
 */

export interface Core {
  /** 1 where the interaction stays; in the order given. */
  kept: Uint8Array;
  /** Number of users outside the core. */
  usersRemoved: number;
  /** Number of items outside the core. */
  itemsRemoved: number;
}

/**
 * Linear in the number of interactions: whoever falls below its bound takes its interactions along.
 *
 * @param users,items numbers from 0 of each interaction's two ends, equally long; repeats count each time
 * @example kCore([0, 0, 1], [0, 1, 0], 2, 1).kept // [1, 1, 0]
 */
export function kCore(users: ArrayLike<number>, items: ArrayLike<number>, userK: number, itemK: number): Core {
  if (users.length !== items.length) {
    throw new Error(`kCore: expected as many users as items, got ${users.length} and ${items.length}`);
  }
  const kept = new Uint8Array(users.length).fill(1);
  const sides = [side(users, userK), side(items, itemK)] as const;
  // A node falls once: users are distinguished from items by what is added to an item's number.
  const offset = sides[0].degree.length;
  const falling = new Int32Array(offset + sides[1].degree.length);
  let waiting = 0;
  for (const [which, { degree, k }] of sides.entries()) {
    for (let node = 0; node < degree.length; node++) {
      if (degree[node]! > 0 && degree[node]! < k) falling[waiting++] = node + which * offset;
    }
  }
  const removed = [0, 0];
  while (waiting > 0) {
    const fallen = falling[--waiting]!;
    const which = fallen < offset ? 0 : 1;
    const { first, edges } = sides[which];
    const { ends, degree, k } = sides[1 - which]!;
    const node = fallen - which * offset;
    removed[which]!++;
    for (let at = first[node]!; at < first[node + 1]!; at++) {
      const e = edges[at]!;
      if (kept[e] === 0) continue;
      kept[e] = 0;
      const neighbour = ends[e]!;
      // Falls at the moment it crosses its bound, so that it is queued once.
      if (degree[neighbour]!-- === k) falling[waiting++] = neighbour + (1 - which) * offset;
    }
  }
  return { kept, usersRemoved: removed[0]!, itemsRemoved: removed[1]! };
}

interface Side {
  ends: ArrayLike<number>;
  k: number;
  degree: Int32Array;
  /** Interactions of node i are edges[first[i]] .. edges[first[i + 1]]. */
  first: Int32Array;
  edges: Int32Array;
}

function side(ends: ArrayLike<number>, k: number): Side {
  let count = 0;
  for (let e = 0; e < ends.length; e++) count = Math.max(count, ends[e]! + 1);
  const degree = new Int32Array(count);
  for (let e = 0; e < ends.length; e++) degree[ends[e]!]!++;
  const first = new Int32Array(count + 1);
  for (let node = 0; node < count; node++) first[node + 1] = first[node]! + degree[node]!;
  const free = first.slice();
  const edges = new Int32Array(ends.length);
  for (let e = 0; e < ends.length; e++) edges[free[ends[e]!]!++] = e;
  return { ends, k, degree, first, edges };
}
