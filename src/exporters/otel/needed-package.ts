import { messageOf } from '../../core/errors.ts'

/**
 * Loads a package that programs have only where they want it.
 * @throws Error that says how to install it where it is not there
 */
export async function loadNeeded<Package>(
  load: () => Promise<Package>,
  packages: readonly string[],
): Promise<Package> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `${messageOf(error).split(' imported from')[0]}; run: npm install ${packages.join(' ')}`,
      {
        cause: error,
      },
    )
  }
}
