import type { LibraryHook } from '../register/library-hook.ts'
import { carbon } from './koa.ts'

interface KoaApp {
  use: (this: KoaApp, middleware: unknown) => unknown
}

/** Puts the middleware before the first one of each app of Koa. */
export const koaHook: LibraryHook = {
  name: 'koa',
  packages: ['koa'],
  versions: '>=2 <4',
  install(exports) {
    const Application = (typeof exports === 'function' ? exports : exports.default) as {
      readonly prototype: KoaApp
    }
    const { prototype } = Application
    const { use } = prototype
    const begun = new WeakSet()
    const middleware = carbon()
    prototype.use = function useCarbonFirst(this: KoaApp, ...args: [unknown]) {
      if (!begun.has(this)) {
        begun.add(this)
        Reflect.apply(use, this, [middleware])
      }
      return Reflect.apply(use, this, args)
    }
  },
}
