import { seconds, type Seconds } from '../../core/units.ts'

/** A program and its arguments; no shell is between. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
}

/** Where macOS keeps both. By full path, since what runs as root must not be looked for in somebody's PATH. */
export const powermetricsPath = '/usr/bin/powermetrics'
export const sudoPath = '/usr/bin/sudo'

/** All that tell power on Apple silicon; the last is all that there is on Intel and on older systems. */
export const samplerSets = ['cpu_power,gpu_power,ane_power', 'cpu_power'] as const

/**
 * Time between two samples. A constant, so that a line in sudoers can name the whole command: whoever may run `powermetrics` with any
 * argument may have it write any file as root (`-o`).
 */
export const sampleInterval: Seconds = seconds(0.5)

/** How `powermetrics` is run. `sudo -n` fails where it would have to ask for a password. */
export function powermetricsCommand(samplers: string, isRoot: boolean): Command {
  const args = ['--samplers', samplers, '-i', String(sampleInterval * 1000), '-f', 'plist']
  return isRoot
    ? { file: powermetricsPath, args }
    : { file: sudoPath, args: ['-n', powermetricsPath, ...args] }
}

/** What lets this user run exactly that command without a password, until the file is removed. Commas are special in sudoers. */
export function remedyForSudo(samplers: string): string {
  const { file, args } = powermetricsCommand(samplers, true)
  const line = [file, ...args].join(' ').replaceAll(',', String.raw`\,`)
  return `for some minutes, in the same terminal: sudo -v
for good: echo "$(id -un) ALL=(root) NOPASSWD: ${line.replaceAll('\\', '\\\\')}" | sudo tee /etc/sudoers.d/codecarbon && sudo chmod 440 /etc/sudoers.d/codecarbon`
}
