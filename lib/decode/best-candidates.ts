/**
 * The best so many of a stream of candidates, by a heap of that size: no object a candidate, and no sort of all.
 *
 * Order: the larger score first; of equal scores the smaller `tie`, which is distinct where an order is asked for.
 */

/** The best candidates so far; a heap whose first is the worst. */
export class BestCandidates {
  /** Kept so far, at most `limit`. */
  size = 0;
  /** What each leads to. */
  private readonly node: Int32Array;
  /** The beam that each continues. */
  private readonly beam: Int32Array;
  private readonly tie: Int32Array;
  private readonly score: Float64Array;

  /** @param limit candidates kept, at least 1 */
  constructor(private readonly limit: number) {
    this.score = new Float64Array(limit);
    [this.node, this.beam, this.tie] = [new Int32Array(limit), new Int32Array(limit), new Int32Array(limit)];
  }

  /** Keeps a candidate if it is among the best so many. */
  offer(score: number, tie: number, node: number, beam: number): void {
    if (this.size < this.limit) {
      let at = this.size++;
      for (let up = (at - 1) >> 1; at > 0 && this.isWorse(score, tie, up); up = (at - 1) >> 1) {
        this.move(up, at);
        at = up;
      }
      this.set(at, score, tie, node, beam);
    } else if (!this.isWorse(score, tie, 0)) {
      this.sink(score, tie, node, beam);
    }
  }

  /** Takes all out, best first, and is empty then. */
  take(): { score: Float64Array; node: Int32Array; beam: Int32Array } {
    const count = this.size;
    const taken = { score: new Float64Array(count), node: new Int32Array(count), beam: new Int32Array(count) };
    for (let i = count - 1; i >= 0; i--) {
      [taken.score[i], taken.node[i], taken.beam[i]] = [this.score[0]!, this.node[0]!, this.beam[0]!];
      const last = --this.size;
      if (last > 0) this.sink(this.score[last]!, this.tie[last]!, this.node[last]!, this.beam[last]!);
    }
    return taken;
  }

  /** Puts a candidate in the place of the worst. */
  private sink(score: number, tie: number, node: number, beam: number): void {
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= this.size) break;
      if (down + 1 < this.size && this.isWorse(this.score[down + 1]!, this.tie[down + 1]!, down)) down++;
      if (this.isWorse(score, tie, down)) break;
      this.move(down, at);
      at = down;
    }
    this.set(at, score, tie, node, beam);
  }

  private isWorse(score: number, tie: number, than: number): boolean {
    return score < this.score[than]! || (score === this.score[than] && tie > this.tie[than]!);
  }

  private move(from: number, to: number): void {
    this.set(to, this.score[from]!, this.tie[from]!, this.node[from]!, this.beam[from]!);
  }

  private set(at: number, score: number, tie: number, node: number, beam: number): void {
    this.score[at] = score;
    this.tie[at] = tie;
    this.node[at] = node;
    this.beam[at] = beam;
  }
}
