/**
 * The native operations under AddressSanitizer and UndefinedBehaviorSanitizer: compiled into a folder of their own, then
 * their tests and a long run of the fuzzer (test/ops/fuzz-native.ts). Any report ends the run.
 *
 *   node kernels/setup/sanitize.mjs [--quick] [--inputs 100000] [--seed 1] [--first 0] [TEST ...]
 *
 * `--quick` is the fuzzer alone with 5,000 inputs, under a minute once compiled. The set-up must have run. TensorFlow
 * and Node are not instrumented, so leaks are not looked for (Node ends with most of its memory in use), memory that
 * TensorFlow takes by one allocator and gives back by another is none of ours, and Node keeps its own handlers of
 * signals. Memory of tensors is the heap's all the same: what an operation touches beside it is seen.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { findCompiler, nodeHeaders } from './compiler.mjs';
import { at, RUN } from './paths.mjs';
import { say } from './report.mjs';
import { quietly, reasonIn, shown } from './run.mjs';
import { filesUnder, hashOf, readStamp, writeStamp } from './stamp.mjs';
import { compilerArgs } from './tensorflow-ops.mjs';
import { hasAddon, libraryFolder } from './tensorflow.mjs';

const OUT = join(RUN, 'sanitized');
const ADDON = join(OUT, 'ops.node');
const ADDRESS = ['-O1', '-g', '-fno-omit-frame-pointer', '-fsanitize=address'];
const UNDEFINED = ['-fsanitize=undefined,float-cast-overflow', '-fno-sanitize-recover=all', '-fno-math-errno'];
/** TensorFlow's C++ headers do not compile with UndefinedBehaviorSanitizer. */
const INTERNAL = at('kernels/tensorflow/ops/buffer.cc');
/** As in the ordinary build; the second where the compiler lacks something. */
const TRIES = [['-march=native', '-fopenmp'], []];
const ASAN = 'detect_leaks=0:alloc_dealloc_mismatch=0:new_delete_type_mismatch=0:allow_user_segv_handler=1';

/** @returns {Promise<number>} exit status; 0 where the compiler has no sanitizers, which is said */
export async function sanitize(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      inputs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
    },
  });
  const library = libraryFolder();
  if (library === undefined || !hasAddon()) {
    say('sanitize: the TensorFlow engine is not set up, so there is nothing to check; npm run setup says why');
    return 0;
  }
  const compiler = await findCompiler();
  const runtime = compiler && (await runtimeOf(compiler));
  if (runtime === undefined) {
    say('sanitize: the compiler has no AddressSanitizer (libasan); nothing is checked');
    return 0;
  }
  const why = await compile(compiler, library);
  if (why !== undefined) {
    say(`sanitize: ${why}; see ${join(RUN, 'sanitize.log')}`);
    return 1;
  }
  const quick = ['test/ops/fuzz-native.test.ts'];
  const inputs = values.inputs ?? (values.quick ? '5000' : '100000');
  const tests = positionals.length > 0 ? positionals : values.quick ? quick : ['test/ops', 'test/sid/kmeans-rounds.test.ts', 'test/sid/balanced-assign.test.ts']; // prettier-ignore
  return shown(
    process.execPath,
    [at('node_modules/vitest/vitest.mjs'), 'run', ...tests, '--maxWorkers', '1', '--isolate'],
    {
      env: {
        ...{ LD_PRELOAD: runtime, ASAN_OPTIONS: ASAN, UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1' },
        OMP_NUM_THREADS: '1', // races are not looked for, and short loops on all cores take longer
        ...{ SIDLAB_OPS_ADDON: ADDON, SIDLAB_BACKEND: 'tensorflow', TF_CPP_MIN_LOG_LEVEL: '2' },
        ...{ SIDLAB_FUZZ_INPUTS: inputs, SIDLAB_FUZZ_SEED: values.seed, SIDLAB_FUZZ_FIRST: values.first },
      },
    },
  );
}

/** The sanitizers' libraries, which must be loaded before Node's own; undefined where the compiler has none. */
async function runtimeOf(compiler) {
  const files = [];
  for (const name of ['libasan.so', 'libubsan.so']) {
    const { output } = await quietly('sanitize', compiler, [`-print-file-name=${name}`]);
    files.push(output.trim());
  }
  return files.every((file) => existsSync(file)) ? files.join(':') : undefined;
}

/** Nothing to do where the sources are those of the last time. @returns why not, if not */
async function compile(compiler, library) {
  const headers = nodeHeaders();
  if (headers === undefined) return "Node's headers (node_api.h) were found nowhere";
  const sources = filesUnder(at('kernels/tensorflow/ops'), ['.cc', '.h']);
  const key = hashOf(compiler, library, [...ADDRESS, ...UNDEFINED].join(' '), ...sources.map((file) => ({ file })));
  const stamp = join(OUT, '.stamp.json');
  if (readStamp(stamp).key === key && existsSync(ADDON)) return undefined;
  mkdirSync(OUT, { recursive: true });
  say('sanitize: compiling the native operations with AddressSanitizer and UBSan');
  const object = join(OUT, 'buffer.o');
  const include = ['-isystem', `${library}/include`];
  const first = await quietly('sanitize', compiler, [...ADDRESS, '-std=c++17', '-fPIC', ...include, '-c', INTERNAL, '-o', object]); // prettier-ignore
  if (!first.ok) return reasonIn(first.output);
  const others = sources.filter((file) => file.endsWith('.cc') && file !== INTERNAL);
  let output = '';
  for (const flags of TRIES) {
    const all = [...ADDRESS, ...UNDEFINED, ...flags];
    const args = compilerArgs(ADDON, { library, headers, flags: all, rpath: library, sources: [...others, object] });
    const compiled = await quietly('sanitize', compiler, args);
    if (compiled.ok) {
      writeStamp(stamp, { key });
      return undefined;
    }
    output = compiled.output;
  }
  return reasonIn(output);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await sanitize(process.argv.slice(2));
}
