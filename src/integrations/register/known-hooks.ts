import type { LibraryHook } from './library-hook.ts'

/** A hook as it is known before its code is there. */
export interface KnownHook extends Pick<LibraryHook, 'name' | 'packages'> {
  /** What it is asked for as, too. */
  readonly alias?: string
  /** Loads its code, where one of its packages is installed. */
  load(): Promise<LibraryHook>
}

const tfjsPackages = ['tfjs', 'tfjs-layers', 'tfjs-node', 'tfjs-node-gpu'].map(
  (name) => `@tensorflow/${name}`,
)

/** The hooks of this package, by the names that `CODECARBON_INTEGRATIONS` has for them. */
export const knownHooks: readonly KnownHook[] = [
  // Express is measured as what it is built on.
  {
    name: 'http',
    alias: 'express',
    packages: [],
    load: async () => (await import('../express/hook.ts')).httpHook,
  },
  {
    name: 'fastify',
    packages: ['fastify'],
    load: async () => (await import('../fastify/hook.ts')).fastifyHook,
  },
  { name: 'koa', packages: ['koa'], load: async () => (await import('../koa/hook.ts')).koaHook },
  { name: 'hono', packages: ['hono'], load: async () => (await import('../hono/hook.ts')).honoHook },
  { name: 'bullmq', packages: ['bullmq'], load: async () => (await import('../bullmq/hook.ts')).bullmqHook },
  {
    name: 'pg-boss',
    packages: ['pg-boss'],
    load: async () => (await import('../pg-boss/hook.ts')).pgBossHook,
  },
  {
    name: 'node-cron',
    packages: ['node-cron'],
    load: async () => (await import('../node-cron/hook.ts')).nodeCronHook,
  },
  { name: 'tfjs', packages: tfjsPackages, load: async () => (await import('../tfjs/hook.ts')).tfjsHook },
  {
    name: 'onnxruntime',
    packages: ['onnxruntime-common', 'onnxruntime-node'],
    load: async () => (await import('../onnxruntime/hook.ts')).onnxruntimeHook,
  },
  { name: 'ai', packages: ['ai'], load: async () => (await import('../ai/hook.ts')).aiHook },
]
