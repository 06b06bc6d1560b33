import { createRequire } from 'node:module'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'

/** A function of a native library. Buffers and typed arrays stand for pointers to their content. */
export interface NativeFunction {
  (...args: NativeArgument[]): number
  /** The same outside the event loop. What it points to must live until `done` is called. */
  readonly async: (
    ...args: [...NativeArgument[], done: (error: Error | null, result: number) => void]
  ) => void
}

/** Numbers, and pointers as addresses or as what they point to. */
export type NativeArgument = number | bigint | NodeJS.TypedArray | null

/** A native library that was loaded. */
export interface NativeLibrary {
  /** @throws where the library lacks it */
  func(name: string, result: string, args: string[]): NativeFunction
}

const remedy = 'run: npm install koffi'

/** Whether koffi, which calls native libraries and is an optional dependency, was installed with this package. Loads nothing. */
export function isKoffiInstalled(): boolean {
  try {
    createRequire(import.meta.url).resolve('koffi')
    return true
  } catch {
    // Left out by `npm install --omit=optional`, or by a package manager that has no build of it for this system.
    return false
  }
}

/** What a probe says that cannot do without. */
export const noKoffi = (): ProbeUnavailable =>
  new ProbeUnavailable('the optional package koffi, which calls native libraries, is not installed', remedy)

/**
 * Loads a native library.
 * @throws ProbeUnavailable where koffi is not there, has no build for this system, or cannot load the library
 */
export async function loadNativeLibrary(path: string): Promise<NativeLibrary> {
  if (!isKoffiInstalled()) throw noKoffi()
  let koffi: { readonly load: (path: string) => NativeLibrary }
  try {
    koffi = (await import('koffi')).default
  } catch (cause) {
    throw new ProbeUnavailable(`the package koffi cannot be loaded: ${messageOf(cause)}`, remedy, { cause })
  }
  try {
    return koffi.load(path)
  } catch (cause) {
    throw new ProbeUnavailable(`${path} cannot be loaded: ${messageOf(cause)}`, undefined, { cause })
  }
}
