// The measured power of data/sources/power, as machines with points.
import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'

/**
 * A measured point. `frequencyRatio` is the mean frequency of the CPUs over their base frequency, `turboRatio` that over the highest.
 * @typedef {{ load: number, watts: number, frequencyRatio?: number, turboRatio?: number }} Point
 */
/**
 * A machine; everything but the name and set is of all sockets together.
 * @typedef {{ name: string, set: 'load' | 'aws' | 'client', tdpWatts: number, sockets: number, cores: number, threads: number,
 *   points: Point[] }} Machine
 */

/** The four machines of CodeCarbon, the seven of Teads and the six clients. @returns {Machine[]} */
export function measuredMachines() {
  /** @type {Map<string, Machine>} */
  const machines = new Map()
  const add = (/** @type {Omit<Machine, 'points'>} */ facts, /** @type {Point} */ point) => {
    const machine = machines.get(facts.name) ?? { ...facts, points: [] }
    machine.points.push(point)
    machines.set(facts.name, machine)
  }
  for (const row of rowsOf('cpu-load.csv')) {
    const [cores, threads] = [number(row, 'cores'), number(row, 'threads')]
    const facts = { cores, threads, tdpWatts: number(row, 'tdp_watts'), sockets: number(row, 'sockets') }
    add(
      { name: row['machine'] ?? '', set: 'load', ...facts },
      { load: number(row, 'load'), watts: number(row, 'package_watts'), ...frequency(row) },
    )
  }
  for (const row of rowsOf('aws-metal.csv')) {
    const [cores, threads, sockets] = [number(row, 'cores'), number(row, 'threads'), number(row, 'sockets')]
    const facts = { cores, threads, sockets, tdpWatts: sockets * number(row, 'tdp_watts_per_socket') }
    add(
      { name: row['processor'] ?? '', set: 'aws', ...facts },
      { load: number(row, 'load'), watts: number(row, 'package_watts') },
    )
  }
  for (const row of rowsOf('client-cpus.csv')) {
    const [cores, threads] = [number(row, 'cores'), number(row, 'threads')]
    const load = number(row, 'busy_threads') / threads
    add(
      {
        name: row['machine'] ?? '',
        set: 'client',
        cores,
        threads,
        sockets: 1,
        tdpWatts: number(row, 'tdp_watts'),
      },
      { load, watts: number(row, 'package_watts'), ...frequency(row) },
    )
  }
  return [...machines.values()]
}

/** @param {string} file @returns {Record<string, string>[]} */
const rowsOf = (file) =>
  parse(readFileSync(new URL(`../../data/sources/power/${file}`, import.meta.url), 'utf8'), { columns: true })

/** @param {Record<string, string>} row @param {string} column */
function number(row, column) {
  const value = Number(row[column])
  if (row[column] === undefined || row[column] === '' || !Number.isFinite(value)) {
    throw new Error(`${column}: expected a number, got "${row[column]}"`)
  }
  return value
}

/** @param {Record<string, string>} row */
function frequency(row) {
  const now = number(row, 'frequency_mhz')
  return {
    frequencyRatio: now / number(row, 'base_frequency_mhz'),
    turboRatio: now / number(row, 'max_frequency_mhz'),
  }
}
