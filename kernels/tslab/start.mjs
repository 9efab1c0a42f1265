/**
 * Starts tslab as Jupyter's kernel `tslab`. kernel.json lies in git and can hold no path of a machine; this file finds
 * tslab from its own place, whatever the notebook's folder is.
 *
 * argv: the connection file that Jupyter wrote.
 */
import { createRequire } from 'node:module';

const connection = process.argv[2];
if (connection === undefined) {
  console.error('start.mjs: expected the connection file as the argument; Jupyter starts this file, nobody else');
  process.exit(2);
}

process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's banners

// Node warns of experimental features (require of an ES module, SourceTextModule) on standard error: noise in a cell.
const { emitWarning } = process;
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0];
  if (type === 'ExperimentalWarning' || warning?.name === 'ExperimentalWarning') return;
  emitWarning.call(process, warning, ...rest);
};

process.argv = [process.argv[0], process.argv[1], 'kernel', '--config-path', connection];
createRequire(import.meta.url)('tslab/dist/main.js').main();
