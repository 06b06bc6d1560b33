import { isMeasured } from '../../scopes/measured-function.ts'
import type { LibraryHook } from '../register/library-hook.ts'
import { withCarbon } from './with-carbon.ts'

/** The class `PgBoss`, as far as it is needed here: the handler is the last argument of `work`. */
interface PgBossClass {
  readonly prototype: { work: (...args: unknown[]) => unknown }
}

/** Measures what the handlers of pg-boss are given to work on. */
export const pgBossHook: LibraryHook = {
  name: 'pg-boss',
  packages: ['pg-boss'],
  versions: '>=12 <13',
  install(exports) {
    const { prototype } = (exports['PgBoss'] ?? {}) as Partial<PgBossClass>
    if (typeof prototype?.work !== 'function')
      throw new TypeError('expected a class PgBoss with work in pg-boss')
    const { work } = prototype
    prototype.work = function measuredWork(...args) {
      const handler = args.at(-1)
      return work.apply(
        this,
        typeof handler === 'function' && !isMeasured(handler)
          ? [...args.slice(0, -1), withCarbon(handler as Parameters<typeof withCarbon>[0])]
          : args,
      )
    }
    return undefined
  },
}
