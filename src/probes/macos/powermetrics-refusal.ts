import { ProbeUnavailable } from '../../core/errors.ts'
import { remedyForSudo } from './powermetrics-command.ts'

/** What `sudo -n` says in the place of a prompt, or of a command that sudoers does not allow; and what `powermetrics` says without root. */
const noPermission =
  /password is required|a terminal is required|not allowed to execute|may not run sudo|not in the sudoers|superuser|must be run as root/i
const notThere = /ENOENT|command not found/i

/** Why `powermetrics` will never tell anything here; `undefined` where trying again may help. */
export function refusalFrom(reason: string, samplers: string): ProbeUnavailable | undefined {
  if (noPermission.test(reason)) {
    return new ProbeUnavailable(
      'powermetrics may be run by root only, and sudo would ask for a password',
      remedyForSudo(samplers),
    )
  }
  return notThere.test(reason) ? new ProbeUnavailable(`powermetrics cannot be run: ${reason}`) : undefined
}

/** True where a system has not all of the samplers: on Intel there is no `ane_power`. */
export const isUnknownSampler = (reason: string): boolean =>
  /(unrecognized|unknown|invalid) sampler/i.test(reason)
