/** Several processes in one: each runs anew, told what all have said so far, until all are done. For what is deterministic. */
import { Cluster } from '../../../lib/cluster/cluster.js';

class Waiting extends Error {}

/** A process that knows the first messages, and waits at the one after them. */
class Told extends Cluster {
  private asked = 0;
  said: unknown;

  constructor(
    rank: number,
    size: number,
    private readonly heard: readonly (readonly unknown[])[],
  ) {
    super(rank, size, 1);
  }

  override exchange<T>(value: T): T[] {
    return this.say(JSON.parse(JSON.stringify(value ?? null)) as T);
  }

  override numbers(values: readonly number[]): number[][] {
    return this.say([...values]);
  }

  private say<T>(value: T): T[] {
    const all = this.heard[this.asked++];
    if (all) return structuredClone(all) as T[];
    this.said = value;
    throw new Waiting();
  }
}

/**
 * @param body what each process does, from its beginning
 * @returns what each came to, and how many messages went round
 */
export async function lockstep<T>(
  size: number,
  body: (cluster: Cluster) => Promise<T>,
): Promise<{ results: T[]; messages: number }> {
  const heard: unknown[][] = [];
  for (;;) {
    const [results, said]: [T[], unknown[]] = [[], []];
    for (let rank = 0; rank < size; rank++) {
      const cluster = new Told(rank, size, heard);
      try {
        results.push(await body(cluster));
      } catch (error) {
        if (!(error instanceof Waiting)) throw error;
        said.push(cluster.said);
      }
    }
    if (results.length === size) return { results, messages: heard.length };
    if (results.length > 0) throw new Error('lockstep: a process is done where another waits');
    heard.push(said);
  }
}
