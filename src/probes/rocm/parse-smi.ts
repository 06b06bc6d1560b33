import { watts, type Watts } from '../../core/units.ts'

/** Power of graphics cards by the number that the program gives them. Cards without a figure of their own, as second dies, are absent. */
export type CardPower = ReadonlyMap<number, Watts>

/**
 * What `rocm-smi --showpower --json` writes, after warnings that it may begin with (ROCm/rocm_smi_lib, python_smi_tools/rocm_smi.py,
 * showPower): `{"card0": {"Average Graphics Package Power (W)": "36.0"}}`, of newer cards `Current Socket Graphics Package Power (W)`.
 *
 * @throws Error where it is no such answer
 */
export function parseRocmSmi(output: string): CardPower {
  const cards = new Map<number, Watts>()
  for (const [card, values] of Object.entries(fieldsOf(jsonIn(output)))) {
    const number = /^card(\d+)$/.exec(card)?.[1]
    if (number === undefined) continue
    const said = Object.entries(fieldsOf(values)).find(([name]) => /\bPower ?\(W\)$/.test(name))
    const power = numberIn(said?.[1])
    if (power !== undefined) cards.set(Number(number), watts(power))
  }
  return cards
}

/**
 * What `amd-smi metric --power --json` writes (ROCm/amdsmi, amdsmi_cli/amdsmi_commands.py, metric_gpu): a list, or since ROCm 7 a list in
 * `gpu_data`, of `{"gpu": 0, "power": {"socket_power": {"value": 133, "unit": "W"}}}`; `average_socket_power` and `current_socket_power` in
 * older releases, `"N/A"` where the card does not tell.
 *
 * @throws Error where it is no such answer
 */
export function parseAmdSmi(output: string): CardPower {
  const answer = jsonIn(output)
  const list = Array.isArray(answer) ? answer : fieldsOf(answer)['gpu_data']
  if (!Array.isArray(list)) throw new Error('amd-smi answered with something else than a list of cards')
  const cards = new Map<number, Watts>()
  for (const entry of list) {
    const { gpu, power } = fieldsOf(entry)
    const said = fieldsOf(power)
    const value = ['socket_power', 'current_socket_power', 'average_socket_power']
      .map((name) => numberIn(said[name]))
      .find((number) => number !== undefined)
    if (typeof gpu === 'number' && value !== undefined) cards.set(gpu, watts(value))
  }
  return cards
}

function jsonIn(output: string): unknown {
  const start = /^\s*[[{]/m.exec(output)
  try {
    return JSON.parse(start === null ? '' : output.slice(start.index))
  } catch {
    // Its own message would quote the answer.
    throw new Error('the program answered with something that is no JSON, or was cut off')
  }
}

/** `36`, `"36.0"`, `"36 W"`, `{"value": 36, "unit": "W"}`. */
function numberIn(said: unknown): number | undefined {
  if (typeof said === 'number') return Number.isFinite(said) ? said : undefined
  if (typeof said === 'string') {
    const digits = /^(\d+(?:\.\d+)?)(?: ?W)?$/.exec(said.trim())?.[1]
    return digits === undefined ? undefined : Number(digits)
  }
  const { value, unit } = fieldsOf(said)
  return unit === undefined || unit === 'W' ? (value === undefined ? undefined : numberIn(value)) : undefined
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
