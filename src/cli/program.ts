import { Command, InvalidArgumentError } from 'commander';
import { SUPPORTED_VERSIONS } from '../cni/versions.ts';
import { ownLibraryFolder } from '../system/native-addon.ts';
import { PODWIRE_VERSION } from '../version.ts';
import type { CliIo } from './cli-io.ts';
import { closestWord } from './closest-word.ts';
import { completionScript, isShell, SHELLS } from './completion.ts';
import { addDiagnosis } from './diagnose-commands.ts';
import { addManagement } from './manage-commands.ts';
import { MAX_COLUMNS } from './terminal.ts';
import { wrapText } from './wrap.ts';

/**
 * Makes the parser of the command line, with every command.
 *
 * @param ended receives the exit status of the command that was run
 */
export function makeProgram(io: CliIo, ended: (status: number) => void): Command {
  const program = new Command('podwire')
    .description('CNI plugin for Kubernetes clusters that use the Kubernetes API as their only datastore')
    .usage('COMMAND [flags]')
    .version(versionText(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpCommand(
      new Command('help').argument('[command]').description('print the help of a command').helpGroup('Other:'),
    )
    .exitOverride()
    .configureHelp({ helpWidth: MAX_COLUMNS })
    .configureOutput({
      writeOut: (text) => io.writeStdoutNow(text),
      writeErr: (text) => io.writeStderr(text),
      getOutHelpWidth: () => MAX_COLUMNS,
      getErrHelpWidth: () => MAX_COLUMNS,
      outputError: (text, write) => write(formatError(text)),
    });
  addDiagnosis(program, io, ended);
  addManagement(program, io, ended);
  addOthers(program, io, ended);
  program.addHelpText('after', AFTER_HELP);
  return program;
}

const AFTER_HELP = `
"podwire COMMAND --help" shows the flags of a command, and examples.
A container runtime calls podwire with CNI_COMMAND set; to do that manually, use
cnitool. As with Calico's plugin, -v prints the version, and -t < FILE tests a
network configuration.
Exit status: 0 fine, 1 a finding or a failure, 2 a wrong command line.`;

function versionText(): string {
  return [
    `podwire ${PODWIRE_VERSION}`,
    `CNI ${SUPPORTED_VERSIONS.join(' ')}`,
    `code cache: ${describeCodeCache()}`,
    `libraries: ${ownLibraryFolder() ?? 'those of this machine'}`,
  ].join('\n');
}

// `error: unknown command 'docter'\n(Did you mean doctor?)`, and the error of a choice, whose suggestion is ours.
function formatError(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replace(
      /\n\(Did you mean (?:one of )?(.+)\?\)$/,
      (_, words: string) => `. Did you mean "${words.split(', ').join('" or "')}"?`,
    )
    .replace(CHOICE, (whole, typed: string, choices: string) => {
      const word = closestWord(typed, choices.split(', '));
      return word === undefined ? whole : `${whole} Did you mean "${word}"?`;
    })
    .replaceAll(/'([^']*)'/g, '"$1"');
  return `${wrapText(`podwire: ${message}`, MAX_COLUMNS).join('\n')}\nSee "podwire --help".\n`;
}

const CHOICE = /^.*'([^']*)' is invalid.*Allowed choices are (.+)\.$/;

function addOthers(program: Command, io: CliIo, ended: (status: number) => void): void {
  program.commandsGroup('Other:');
  program
    .command('completion')
    .summary(`print the completion script for ${SHELLS.join(', ')}`)
    .description(`Print the completion script of a shell: ${SHELLS.join(', ')}.`)
    .argument('<shell>', SHELLS.join(', '), (shell: string) => {
      if (isShell(shell)) return shell;
      throw new InvalidArgumentError(`Expected one of ${SHELLS.join(', ')}.`);
    })
    .addHelpText(
      'after',
      '\nExamples:\n  . <(podwire completion bash)\n  podwire completion fish > ~/.config/fish/completions/podwire.fish',
    )
    .action(async (shell: string) => {
      if (isShell(shell)) await io.writeStdout(completionScript(shell, program));
      ended(0);
    });
  program
    .command('version')
    .summary('print the version')
    .description('Print the version, the versions of CNI, the state of the code cache, and whose libraries are used.')
    .action(async () => {
      await io.writeStdout(`${versionText()}\n`);
      ended(0);
    });
}

// build/load-part.ts records it: a cache that V8 rejects costs time on every command, and nothing else reports it.
function describeCodeCache(): string {
  const parts: unknown = Reflect.get(globalThis, Symbol.for('podwire.parts'));
  const program: unknown = parts instanceof Map ? parts.get('podwire') : undefined;
  return isPart(program) ? program.codeCache : 'none';
}

function isPart(value: unknown): value is { readonly codeCache: string } {
  return typeof value === 'object' && value !== null && 'codeCache' in value && typeof value.codeCache === 'string';
}
