import type { Command } from 'commander';

/** The shells for which there is a completion script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** True for a shell that has a completion script. */
export function isShell(name: string): name is Shell {
  return SHELLS.some((shell) => shell === name);
}

/** Makes the script that completes commands, flags, and the values of flags that have a list of them. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = program.commands.filter((command) => command.name() !== 'help').map(describe);
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
    default:
      return shell satisfies never;
  }
}

interface Described {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** The values of the first argument, if there is a list of them. */
  readonly values: readonly string[];
}

interface Flag {
  readonly name: string;
  /** `-o`. */
  readonly short: string | undefined;
  readonly summary: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

function describe(command: Command): Described {
  const flags = command.options.map((option) => ({
    name: option.long ?? option.short ?? '',
    short: option.short,
    summary: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? [],
  }));
  const [argument] = command.registeredArguments;
  const listed =
    argument?.argChoices ??
    (/^\w+(, \w+)+$/.test(argument?.description ?? '') ? argument?.description.split(', ') : []);
  const help = { name: '--help', short: '-h', summary: 'print the help', takesValue: false, values: [] };
  return { name: command.name(), summary: command.summary(), flags: [...flags, help], values: listed ?? [] };
}

function bashScript(commands: readonly Described[]): string {
  const valueCases = uniqueFlags(commands)
    .filter(({ values }) => values.length > 0)
    .map(
      ({ name, short, values }) =>
        `    ${[name, short].filter((word) => word !== undefined).join('|')}) COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$word")); return ;;`,
    );
  const fileCases = uniqueFlags(commands)
    .filter(({ takesValue, values }) => takesValue && values.length === 0)
    .flatMap(({ name, short }) => [name, ...(short === undefined ? [] : [short])]);
  const commandCases = commands.map(
    ({ name, flags, values }) => `    ${name}) words='${[...values, ...flags.map((flag) => flag.name)].join(' ')}' ;;`,
  );
  return [
    '# bash completion for podwire',
    '_podwire() {',
    '  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words',
    '  case $previous in',
    ...valueCases,
    `    ${fileCases.join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    '  esac',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    words='${commands.map(({ name }) => name).join(' ')} --help --version'`,
    '  else case ${COMP_WORDS[1]} in',
    ...commandCases,
    '  esac; fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '}',
    'complete -F _podwire podwire',
    '',
  ].join('\n');
}

function zshScript(commands: readonly Described[]): string {
  const list = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.flatMap(({ name, flags, values }) => [
    `    ${name})`,
    `      _arguments ${[
      ...flags.map(zshFlag),
      ...(values.length === 0 ? [] : [quote(`1:value:(${values.join(' ')})`)]),
    ].join(' ')} ;;`,
  ]);
  return [
    '#compdef podwire',
    '_podwire() {',
    '  local -a commands',
    '  commands=(',
    ...list,
    '  )',
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $command in',
    ...cases,
    '  esac',
    '}',
    'if [ "$funcstack[1]" = _podwire ]; then _podwire "$@"; else compdef _podwire podwire; fi',
    '',
  ].join('\n');
}

// Of two names of one flag, only one is completed.
function zshFlag(flag: Flag): string {
  const text = quote(`[${flag.summary.replaceAll(/[[\]:]/g, ' ')}]${zshValue(flag)}`);
  return flag.short === undefined
    ? `${flag.name}${text}`
    : `'(${flag.short} ${flag.name})'{${flag.short},${flag.name}}${text}`;
}

function zshValue({ takesValue, values }: Flag): string {
  if (values.length > 0) return `:value:(${values.join(' ')})`;
  return takesValue ? ':value:_files' : '';
}

function fishScript(commands: readonly Described[]): string {
  const lines = commands.flatMap(({ name, summary, flags, values }) => {
    const here = `-n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c podwire -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
      ...(values.length === 0 ? [] : [`complete -c podwire ${here} -f -a '${values.join(' ')}'`]),
      ...flags.map((flag) => {
        const value = flag.values.length > 0 ? ` -x -a '${flag.values.join(' ')}'` : flag.takesValue ? ' -r' : '';
        const short = flag.short === undefined ? '' : ` -s ${flag.short.slice(1)}`;
        return `complete -c podwire ${here} -l ${flag.name.slice(2)}${short}${value} -d ${quote(flag.summary)}`;
      }),
    ];
  });
  return ['# fish completion for podwire', ...lines, ''].join('\n');
}

function uniqueFlags(commands: readonly Described[]): readonly Flag[] {
  return [...new Map(commands.flatMap(({ flags }) => flags).map((flag) => [flag.name, flag])).values()];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
