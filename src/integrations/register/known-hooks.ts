import type { LibraryHook } from './library-hook.ts'

/** A hook as it is known before its code is there. */
export interface KnownHook extends Pick<LibraryHook, 'name' | 'packages'> {
  /** Loads its code, where one of its packages is installed. */
  load(): Promise<LibraryHook>
}

/**
 * The hooks of this package, by the names that `CODECARBON_INTEGRATIONS` has for them.
 *
 * @example
 * { name: 'express', packages: ['express'], load: async () => (await import('../express/hook.ts')).expressHook },
 */
export const knownHooks: readonly KnownHook[] = []
