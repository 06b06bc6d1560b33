import { ConfigError } from '../../core/errors.ts'
import { show } from '../../core/show.ts'
import { checkNames } from '../../scopes/check-options.ts'
import type { ScopeSource } from '../../scopes/process-scopes.ts'
import type { FilterOptions, OfRequest } from './route-filter.ts'

/** Options of all hooks of HTTP. */
export interface RequestOptions<Source = never> extends FilterOptions<Source> {
  /** A tracker. @default that of the process, which is begun where there is none */
  readonly tracker?: ScopeSource | undefined
  /** The template of a request's route, where you know it better; one of few, never an address. @default what the framework tells, too where this is `undefined` */
  readonly route?: OfRequest<Source, string | undefined> | undefined
  /**
   * Whether `currentScope()` tells the request inside of its handlers, and scopes that begin there are part of it. `scopeOf(request)` always tells it.
   * @default true from Node 24, which follows calls at no cost; false before, where it slows all promises of the program down
   */
  readonly currentScope?: boolean | undefined
  /**
   * Adds a header `Server-Timing` with the mean emissions of the route so far, in milligrams of CO2 equivalents; whoever may ask your server then learns them.
   * @default false
   */
  readonly serverTiming?: boolean | undefined
  /** The same in grams, as `Carbon-Emissions-Scope-2`. @default false */
  readonly emissionsHeader?: boolean | undefined
}

/** The first version of Node whose AsyncLocalStorage does not slow promises down. */
const cheapSince = 24

/** @default of the option `currentScope` */
export const isCurrentScopeCheap: boolean = Number.parseInt(process.versions.node, 10) >= cheapSince

const optionNames: Readonly<Record<keyof RequestOptions, true>> = {
  tracker: true,
  include: true,
  exclude: true,
  route: true,
  currentScope: true,
  serverTiming: true,
  emissionsHeader: true,
}

/** Options of `register` of Fastify, which hands them to the plugin with its own. */
const ofRegister = { prefix: true, logLevel: true, logSerializers: true } as const

/**
 * @param door the function that is given them, for the message
 * @throws ConfigError for an option of the wrong type
 */
export function checkRequestOptions(door: string, options: RequestOptions): void {
  checkNames(door, options, { ...optionNames, ...ofRegister })
  const { tracker, route, currentScope, serverTiming, emissionsHeader } = options
  if (tracker !== undefined && typeof tracker?.beginScope !== 'function')
    throw new ConfigError(`${door}: option tracker: expected an EmissionsTracker, got ${show(tracker)}`)
  if (route !== undefined && typeof route !== 'function')
    throw new ConfigError(`${door}: option route: expected a function, got ${show(route)}`)
  for (const [name, value] of Object.entries({ currentScope, serverTiming, emissionsHeader }))
    if (value !== undefined && typeof value !== 'boolean')
      throw new ConfigError(`${door}: option ${name}: expected true or false, got ${show(value)}`)
}
