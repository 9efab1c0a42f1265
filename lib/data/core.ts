/**
 * The (p, q)-core of a shop's interactions: what is left when users with fewer than p interactions and items with
 * fewer than q are removed, again and again, until all have enough. (Batagelj & Zaversnik, "Generalized cores", 2002;
 * MiniOneRec's filter with one k for both.) The core is unique: the order of removal does not matter.
 */

export interface Core {
  /** 1 where the interaction stays; in the order given. */
  kept: Uint8Array;
  usersRemoved: number;
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
  const falling = sides.flatMap((s, which) => [...s.degree.keys()].filter((n) => below(s, n)).map((n) => [which, n]));
  const removed = [0, 0];
  while (falling.length > 0) {
    const [which, node] = falling.pop() as [0 | 1, number];
    removed[which]!++;
    const other = sides[1 - which]!;
    for (let e = sides[which].first[node]!; e !== -1; e = sides[which].next[e]!) {
      if (!kept[e]) continue;
      kept[e] = 0;
      const neighbour = other.ends[e]!;
      // Falls at the moment it crosses its bound, so that it is queued once.
      if (other.degree[neighbour]!-- === other.k) falling.push([1 - which, neighbour]);
    }
  }
  return { kept, usersRemoved: removed[0]!, itemsRemoved: removed[1]! };
}

interface Side {
  ends: ArrayLike<number>;
  k: number;
  degree: Int32Array;
  /** First interaction of a node, then a chain through `next`; -1 ends it. */
  first: Int32Array;
  next: Int32Array;
}

function side(ends: ArrayLike<number>, k: number): Side {
  let count = 0;
  for (let e = 0; e < ends.length; e++) count = Math.max(count, ends[e]! + 1);
  const degree = new Int32Array(count);
  const first = new Int32Array(count).fill(-1);
  const next = new Int32Array(ends.length);
  for (let e = 0; e < ends.length; e++) {
    const node = ends[e]!;
    degree[node]!++;
    next[e] = first[node]!;
    first[node] = e;
  }
  return { ends, k, degree, first, next };
}

function below({ degree, k }: Side, node: number): boolean {
  return degree[node]! > 0 && degree[node]! < k;
}
