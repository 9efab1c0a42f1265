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

queueSends(createRequire(createRequire(import.meta.url).resolve('tslab/dist/main.js'))('zeromq'));

process.argv = [process.argv[0], process.argv[1], 'kernel', '--config-path', connection];
createRequire(import.meta.url)('tslab/dist/main.js').main();

/**
 * tslab sends without waiting for the message before, and a socket that is still writing (a slow reader, a large
 * figure) throws: the kernel dies. Here each socket's messages wait for one another.
 */
function queueSends({ Publisher, Router, Reply }) {
  for (const { prototype } of [Publisher, Router, Reply]) {
    const { send } = prototype;
    const last = new WeakMap(); // socket -> its last message on the way
    const queued = function (...message) {
      const before = last.get(this);
      const sent = before ? before.then(() => send.apply(this, message)) : send.apply(this, message);
      const done = sent.then(
        () => {},
        () => {},
      );
      last.set(this, done);
      done.then(() => last.get(this) === done && last.delete(this));
      return sent;
    };
    Object.defineProperty(prototype, 'send', { value: queued }); // the inherited one is read-only
  }
}
