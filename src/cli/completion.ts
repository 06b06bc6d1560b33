import { Argument, type Command, type Option } from 'commander'

/** What one command can be completed with. */
interface Completions {
  readonly name: string
  readonly help: string
  readonly flags: readonly Flag[]
}

interface Flag {
  readonly flag: string
  readonly help: string
  readonly takesValue: boolean
  /** The values it takes, where they are few. */
  readonly choices: readonly string[]
}

const shells = ['bash', 'zsh', 'fish'] as const

/** `codecarbon completion SHELL`: a script that makes a shell complete commands, flags and their values. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that makes your shell complete commands and options')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(shells))
    .addHelpText(
      'after',
      `
bash:  source <(codecarbon completion bash)
zsh:   source <(codecarbon completion zsh)
fish:  codecarbon completion fish | source`,
    )
    .action((shell: (typeof shells)[number]) => {
      process.stdout.write(scripts[shell](program.commands.map(toCompletions)))
    })
}

function toCompletions(command: Command): Completions {
  const flags = command.options.filter(({ hidden }) => !hidden).map(toFlag)
  const help = { flag: '--help', help: 'display help for command', takesValue: false, choices: [] }
  return { name: command.name(), help: command.description(), flags: [...flags, help] }
}

function toFlag({ long, short, description, flags, required, optional }: Option): Flag {
  const [, values = ''] = /[<[]([\w|,-]+)[>\]]/.exec(flags) ?? []
  const choices = /[|,]/.test(values) ? values.split(/[|,]/) : []
  return { flag: long ?? short ?? '', help: description, takesValue: required || optional, choices }
}

/** Text between single quotes for any of the three shells. */
const quote = (text: string): string => `'${text.replaceAll("'", '’')}'`
const words = (list: readonly string[]): string => quote(list.join(' '))

const scripts: Readonly<Record<(typeof shells)[number], (commands: readonly Completions[]) => string>> = {
  bash(commands) {
    const cases = commands.flatMap(({ name, flags }) => [
      ...flags
        .filter(({ choices }) => choices.length > 0)
        .map(({ flag, choices }) => `    ${name}\\ ${flag}) words=${words(choices)} ;;`),
    ])
    const perCommand = commands.map(
      ({ name, flags }) => `    ${name}) flags=${words(flags.map(({ flag }) => flag))} ;;`,
    )
    return `# codecarbon completion for bash
_codecarbon() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" words='' flags='' word
  if [ "$COMP_CWORD" -le 1 ]; then
    COMPREPLY=($(compgen -W ${words([...commands.map(({ name }) => name), '--help', '--version'])} -- "$current"))
    return
  fi
  if [ "$previous" = -- ]; then COMPREPLY=($(compgen -c -- "$current")); return; fi
  for word in "\${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
    if [ "$word" = -- ]; then COMPREPLY=($(compgen -o default -- "$current")); return; fi
  done
  # A word with = is three words to the shell.
  if [ "$current" = = ]; then current=''; elif [ "$previous" = = ]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  if [ "$command" = completion ]; then COMPREPLY=($(compgen -W '${shells.join(' ')}' -- "$current")); return; fi
  case "$command $previous" in
${cases.join('\n')}
  esac
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); return; fi
  case "$command" in
${perCommand.join('\n')}
  esac
  case "$current" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;
    *) COMPREPLY=($(compgen -o default -- "$current")) ;;
  esac
}
complete -o default -F _codecarbon codecarbon
`
  },
  zsh(commands) {
    const escape = (text: string): string => text.replaceAll("'", '’').replace(/[[\]:\\]/g, String.raw`\$&`)
    const perCommand = commands.map(({ name, flags }) => {
      const specs = flags.map(({ flag, help, takesValue, choices }) => {
        const value = !takesValue
          ? ''
          : choices.length > 0
            ? `:value:(${choices.join(' ')})`
            : ':value:_files'
        return `        '${flag}[${escape(help)}]${value}'`
      })
      return `    ${name})\n      _arguments \\\n${[...specs, "        '*:file:_files'"].join(' \\\n')} ;;`
    })
    return `#compdef codecarbon
# codecarbon completion for zsh
_codecarbon() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${commands.map(({ name, help }) => `      '${name}:${escape(help)}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${perCommand.join('\n')}
  esac
}
compdef _codecarbon codecarbon
`
  },
  fish(commands) {
    const top = commands.map(
      ({ name, help }) => `complete -c codecarbon -n __fish_use_subcommand -f -a ${name} -d ${quote(help)}`,
    )
    const flags = commands.flatMap((command) =>
      command.flags.map(({ flag, help, takesValue, choices }) => {
        const value = choices.length > 0 ? ` -x -a ${words(choices)}` : takesValue ? ' -r' : ''
        return `complete -c codecarbon -n '__fish_seen_subcommand_from ${command.name}' -l ${flag.slice(2)}${value} -d ${quote(help)}`
      }),
    )
    return `# codecarbon completion for fish\n${[...top, ...flags].join('\n')}\n`
  },
}
