import type { LibraryHook } from '../register/library-hook.ts'
import { carbon } from './hono.ts'

type HonoClass = new (...args: unknown[]) => { use(middleware: unknown): unknown }

/** Makes the middleware the first one of each app of Hono. */
export const honoHook: LibraryHook = {
  name: 'hono',
  packages: ['hono'],
  versions: '>=4 <5',
  install(exports) {
    const middleware = carbon()
    const Hono = new Proxy(exports.Hono as HonoClass, {
      construct(target, args, newTarget) {
        const app = Reflect.construct(target, args, newTarget) as InstanceType<HonoClass>
        app.use(middleware)
        return app
      },
    })
    return { ...exports, Hono }
  },
}
