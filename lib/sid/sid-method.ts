/** What a way to make semantic IDs is: one of `METHODS`, or an object of your own in a notebook cell. */
import type { Cluster } from '../cluster/cluster.js';
import type { Vectors } from '../files/npy.js';
import type { Options } from '../options/option.js';
import type { QuantizeResult } from './quantized.js';

/** A way to make semantic IDs of item vectors. */
export interface SidMethod {
  /** What reports, `NAME.sid.json` and errors call it. */
  name: string;
  /**
   * Item vectors [N, D] -> codes and codebooks. `quantizeResult` makes the result of codes and codebooks.
   * @param options the method's own @param where names the vectors in errors, such as their file
   * @param cluster processes that share the work, of a method that says it is `parallel`; all must get the same
   * @throws InputError for vectors or options that it cannot take
   */
  quantize(
    vectors: Vectors,
    options: never,
    where: string,
    cluster?: Cluster,
  ): QuantizeResult | Promise<QuantizeResult>;
  /** Whether several processes may share its work. Default false: it runs in one. */
  parallel?: boolean;
  /**
   * The same of a .npy file, for a method that does not hold all vectors at once; then `sid` calls it in place of `quantize`.
   */
  quantizeFile?(file: string, options: never): QuantizeResult | Promise<QuantizeResult>;
  /** Whether it trains an encoder: then its result has a `model`, and the codebooks live among that model's latents. */
  learned: boolean;
  /** Its options, checked before it runs. Default none. */
  options?: Options;
}
