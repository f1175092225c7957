import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

/** The command line is wrong. The message is one line that says what is wrong with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Script<Options extends ParseArgsOptionsConfig> {
  /** As npm knows it: `build:image`. */
  readonly name: string;
  /** Printed for `--help`. */
  readonly usage: string;
  readonly options: Options;
  /** False by default: an argument that is not an option is an error. */
  readonly allowPositionals?: boolean;
}

/** The parsed arguments of a script. */
export interface ScriptArguments<Options extends ParseArgsOptionsConfig> {
  /** The options by name. */
  readonly values: ReturnType<typeof parseArgs<{ options: Options }>>['values'];
  readonly positionals: readonly string[];
}

/**
 * Runs an npm script with its arguments parsed. `-h` and `--help` print the usage on stdout instead. Incorrect usage,
 * which includes a {@link UsageError} of `main`, prints one line on stderr and sets exit status 2.
 *
 * @throws whatever else `main` throws
 */
export async function runScript<const Options extends ParseArgsOptionsConfig>(
  script: Script<Options>,
  main: (args: ScriptArguments<Options>) => void | Promise<void>,
): Promise<void> {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) {
    process.stdout.write(script.usage);
    return;
  }
  try {
    await main(parse(args, script));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${script.name}: ${error.message}; see npm run ${script.name} -- --help\n`);
    process.exitCode = 2;
  }
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

function parse<const Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  { options, allowPositionals = false }: Script<Options>,
): ScriptArguments<Options> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals });
  } catch (error) {
    // Node adds sentences about positional arguments, which do not help with a misspelled option.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split(/\.(?:\s|$)/);
    throw new UsageError(reason, { cause: error });
  }
}
