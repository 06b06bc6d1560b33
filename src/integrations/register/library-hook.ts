/** Measures what a library does, for programs that only load it. */
export interface LibraryHook {
  /** As `CODECARBON_INTEGRATIONS` names it. */
  readonly name: string
  /** Packages whose loading turns it on; none: it is turned on at once. */
  readonly packages: readonly string[]
  /** Versions of them that it knows, as a range such as `>=4 <7`. Of others it says so once, and does nothing. */
  readonly versions?: string | undefined
  /**
   * Turns it on. Called once for each copy of a package that is loaded, with what the package exports; changes prototypes, or returns what is to be exported
   * instead. What throws is told once, and the program goes on without the hook.
   */
  install(exports: Readonly<Record<string, unknown>>, about: LoadedPackage): unknown
}

/** A package that has been loaded. */
export interface LoadedPackage {
  readonly name: string
  /** `undefined` of modules of Node. */
  readonly version: string | undefined
}
