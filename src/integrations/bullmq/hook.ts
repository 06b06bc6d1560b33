import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { packageFile } from '../../package-file.ts'
import { isMeasured } from '../../scopes/measured-function.ts'
import type { LibraryHook } from '../register/library-hook.ts'
import { withCarbon } from './with-carbon.ts'

/** The class `Worker`, as far as it is needed here. */
type WorkerClass = new (queueName: unknown, processor: unknown, ...rest: unknown[]) => object

/**
 * Measures the jobs of every `Worker` of BullMQ that is made: processors that are functions as `withCarbon` does, and those that are files in the process or
 * thread in which they run.
 */
export const bullmqHook: LibraryHook = {
  name: 'bullmq',
  packages: ['bullmq'],
  versions: '>=5 <7',
  install(exports) {
    const { Worker } = exports
    if (typeof Worker !== 'function') throw new TypeError('expected a class Worker in bullmq')
    const measured = new Proxy(Worker as WorkerClass, {
      construct: (target, [queueName, processor, ...rest], newTarget: WorkerClass) =>
        Reflect.construct(target, [queueName, measuredProcessor(processor), ...rest], newTarget),
    })
    return { ...exports, Worker: measured }
  },
}

function measuredProcessor(processor: unknown): unknown {
  if (typeof processor === 'function')
    return isMeasured(processor) ? processor : withCarbon(processor as Parameters<typeof withCarbon>[0])
  const file = processorFile(processor)
  if (file === undefined) return processor
  const sandbox = new URL(packageFile('dist/integrations/bullmq/sandbox-processor.js'))
  sandbox.searchParams.set('processor', file.href)
  return sandbox
}

/** Where BullMQ would find the file; `undefined` where it would not, and says so itself. */
function processorFile(processor: unknown): URL | undefined {
  if (processor instanceof URL) return existsSync(processor) ? processor : undefined
  if (typeof processor !== 'string') return undefined
  const path = resolve(extensions.has(extname(processor)) ? processor : `${processor}.js`)
  return existsSync(path) ? pathToFileURL(path) : undefined
}

/** Those that BullMQ does not add `.js` to. */
const extensions = new Set(['.js', '.ts', '.flow', '.cjs', '.mjs'])
