// What `--require codecarbon/register` and `require('codecarbon/register')` load, which cannot wait as the preload does: says so, and lets the program run.
const isRegistered = Symbol.for('codecarbon.register') in globalThis

// Threads are preloaded with the same.
if (!isRegistered && process.getBuiltinModule('node:worker_threads').isMainThread)
  process.emitWarning(
    'codecarbon/register cannot be loaded by require: this program is not tracked; use node --import codecarbon/register',
    'CodeCarbonWarning',
  )
