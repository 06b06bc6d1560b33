import { printOnStderr } from '../log.ts'

/**
 * A reader of stdout that has seen enough and gone away, as `head` does, ends the program quietly; any other failure to write, such as a full
 * disk, ends it with one line.
 */
export function endWithStdout(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    printOnStderr(`codecarbon: stdout cannot be written: ${error.message}\n`)
    process.exit(1)
  })
}
