/**
 * fast-check with one seed, so that a test passes or fails alike everywhere. SIDLAB_TEST_SEED explores: a whole number, or
 * `random`; a counterexample that it finds goes into its test's `examples`.
 */
import fc from 'fast-check';

const asked = process.env.SIDLAB_TEST_SEED ?? '1';
if (asked !== 'random') fc.configureGlobal({ seed: Number(asked) });

export default fc;
