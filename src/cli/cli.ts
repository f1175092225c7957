import { CommanderError } from 'commander';
import { CniError } from '../cni/error.ts';
import { formatExplainedError, isExplained } from '../install/install-error.ts';
import { errnoOf, messageOf } from '../system/error-text.ts';
import { CommandError, EXIT, UsageError, type CliIo } from './cli-io.ts';
import { makeProgram } from './program.ts';
import { MAX_COLUMNS } from './terminal.ts';
import { wrapText } from './wrap.ts';

/** `install` is the entry point that calico-node's DaemonSet runs when this image replaces Calico's. */
const ARGS_BY_PROGRAM_NAME: Readonly<Record<string, readonly string[]>> = {
  'install-cni': ['install'],
  install: ['install', '--as-calico'],
};

/**
 * What Calico's manifests pass to the single executable that Calico has since 3.33, and what it is here: the container install-cni
 * with `args` and no `command`, and the process that renews the token of the plugin.
 */
const ARGS_BY_CALICO_COMPONENT: Readonly<Record<string, readonly string[]>> = {
  'component cni install': ['install', '--as-calico'],
  'component node monitor-token': ['install', '--watch', '--as-calico'],
};

/**
 * Runs a command that a person, or the entry point of a container, calls.
 *
 * @returns the exit status: 0 if everything is fine, 1 for a finding or a failure, 2 for a wrong command line
 */
export async function runCli(given: CliIo): Promise<number> {
  const io = withExplainedOutput(given);
  const called = componentAsCommand([...(ARGS_BY_PROGRAM_NAME[io.called.name] ?? []), ...io.args]);
  let status: number = EXIT.fine;
  const program = makeProgram(io, (result) => (status = result));
  if (called.length === 0) {
    program.outputHelp({ error: true });
    return EXIT.usage;
  }
  try {
    const args = flagAsCommand(called);
    const isKnown = (name: string) => program.commands.some((command) => command.name() === name);
    // For an unknown command, Commander would print the help of podwire, and not name it.
    const [first, second] = args;
    const isHelpOfUnknown = first === 'help' && second !== undefined && !isKnown(second);
    await program.parseAsync([...(isHelpOfUnknown ? args.slice(1) : args)], { from: 'user' });
    return status;
  } catch (error) {
    // Commander has printed the help or the message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    if (error instanceof UsageError) {
      io.writeStderr(`${wrapText(`podwire: ${error.message}`, MAX_COLUMNS).join('\n')}\nSee "podwire --help".\n`);
      return EXIT.usage;
    }
    if (error instanceof CommandError) {
      io.writeStderr(`${wrapText(`podwire: ${error.message}`, MAX_COLUMNS).join('\n')}\n`);
      return EXIT.failure;
    }
    if (!isExplained(error)) throw error;
    const number = error instanceof CniError && error.finding !== undefined ? ` [${error.finding}]` : '';
    io.writeStderr(`podwire: ${formatExplainedError(error)}${number}\n`);
    return EXIT.failure;
  }
}

/** Nothing is wrong if a reader has seen enough, as `head` does. Another failure to write is one of the command. */
function withExplainedOutput(io: CliIo): CliIo {
  const explain = (error: unknown): void => {
    if (errnoOf(error) !== 'EPIPE') throw new CommandError(`cannot write to standard output: ${messageOf(error)}`);
  };
  return {
    ...io,
    writeStdout: (text) => io.writeStdout(text).catch(explain),
    writeStdoutNow(text) {
      try {
        io.writeStdoutNow(text);
      } catch (error) {
        explain(error);
      }
    },
  };
}

/** The entry point of podwire's image is `podwire install`, so that `args` of a container follow that word. Other arguments stay as they are. */
function componentAsCommand(args: readonly string[]): readonly string[] {
  const component = args[0] === 'install' ? args.slice(1) : args;
  const own = ARGS_BY_CALICO_COMPONENT[component.slice(0, 3).join(' ')];
  return own === undefined ? args : [...own, ...component.slice(3)];
}

/** The flags that Calico's plugin has, as Go's flag package spells them: `-v` before `-t`. Other arguments stay as they are. */
function flagAsCommand(args: readonly string[]): readonly string[] {
  const flags = args.map((word) => /^--?([tv])(?:=true)?$/.exec(word)?.[1]);
  if (flags.includes(undefined)) return args;
  return [flags.includes('v') ? 'version' : 'test'];
}
