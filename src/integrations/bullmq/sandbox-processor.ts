import { isMeasured } from '../../scopes/measured-function.ts'
import { withCarbon, type BullJob } from './with-carbon.ts'

/** BullMQ's way to the function in the file of a processor: the default export, or that of what it is. */
interface ProcessorModule {
  readonly default?: { readonly default?: unknown }
}

const file = new URL(import.meta.url).searchParams.get('processor') ?? ''
const loaded = (await import(file)) as ProcessorModule
const found: unknown = loaded.default?.default ?? loaded.default

/** The processor whose file the address of this module names, measured. What is no function is left for BullMQ to complain of. */
const processor: unknown =
  typeof found === 'function' && !isMeasured(found)
    ? withCarbon(found as (job: BullJob, ...rest: unknown[]) => unknown)
    : found

// oxlint-disable-next-line import/no-default-export -- BullMQ asks the file of a processor for it
export { processor as default }
