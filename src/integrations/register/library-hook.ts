/** Measures what a library does, for programs that only load it. */
export interface LibraryHook {
  /** As `CODECARBON_INTEGRATIONS` names it. */
  readonly name: string
  /**
   * Packages whose loading turns it on: `bullmq`, or a part of one as programs import it, `@langchain/core/callbacks/manager`. Modules of Node, `node:http`, turn it
   * on at once, and so does an empty list.
   */
  readonly packages: readonly string[]
  /** Versions of them that it knows, as a range such as `>=4 <7`. Of others it says so once, and does nothing. */
  readonly versions?: string | undefined
  /**
   * Turns it on. Called once for each copy of a package that is loaded, with what the package exports, before the program has it; changes prototypes, or returns
   * what is to be exported instead. A package in CommonJS is given as `require` sees it. Of a module the names that it exports can be replaced, and none be added;
   * its own files, which import each other by their paths, go on with what they had, so that prototypes are the better place. What throws is told once, and the program goes on without the hook.
   */
  install(exports: Readonly<Record<string, unknown>>, about: LoadedPackage): unknown
}

/** A package that has been loaded. */
export interface LoadedPackage {
  readonly name: string
  /** `undefined` of modules of Node. */
  readonly version: string | undefined
}
