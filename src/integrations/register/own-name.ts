/** As `--import` is given it. Node looks for the package from the working directory of each process. */
const ownName = 'codecarbon/register'

/**
 * Has children find the preload wherever they start: the name in what they inherit, NODE_OPTIONS and the arguments of Node, becomes the address of its file.
 * Worker threads without arguments or an environment of their own are given the first arguments, which nobody can change.
 */
export function tellChildrenWhere(file: string): void {
  const { env, execArgv } = process
  const options = env['NODE_OPTIONS']
  if (options?.includes(ownName) === true) env['NODE_OPTIONS'] = inNodeOptions(options, file)
  execArgv.splice(0, Infinity, ...inWords(execArgv, file))
}

/** Quoted words are parted as Node does; what is not the name stays as it is written. The address of a file has nothing that needs quotes. */
function inNodeOptions(options: string, file: string): string {
  const written = options.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/g) ?? []
  const words = written.map(unquoted)
  return inWords(words, file)
    .map((word, index) => (word === words[index] ? written[index] : word))
    .join(' ')
}

const unquoted = (word: string): string =>
  word.replaceAll(/"((?:\\.|[^"\\])*)"/g, (_, quoted: string) => quoted.replaceAll(/\\(.)/g, '$1'))

const inWords = (words: readonly string[], file: string): readonly string[] =>
  words.map((word, index) => {
    if (word === `--import=${ownName}`) return `--import=${file}`
    return word === ownName && words[index - 1] === '--import' ? file : word
  })
