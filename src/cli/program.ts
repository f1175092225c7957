import { Command, InvalidArgumentError, Option } from 'commander';
import { SUPPORTED_VERSIONS } from '../cni/versions.ts';
import type { InstallIo } from '../install/run-with-log.ts';
import { ownLibraryFolder } from '../system/native-addon.ts';
import { PODWIRE_VERSION } from '../version.ts';
import type { CliIo } from './cli-io.ts';
import { completionScript, isShell, SHELLS } from './completion.ts';
import { OUTPUT_FORMATS, type OutputFormat } from './output-format.ts';
import { MAX_COLUMNS } from './terminal.ts';

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

// `error: unknown command 'docter'\n(Did you mean doctor?)`
function formatError(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replace(
      /\n\(Did you mean (?:one of )?(.+)\?\)$/,
      (_, words: string) => `. Did you mean "${words.split(', ').join('" or "')}"?`,
    )
    .replaceAll(/'([^']*)'/g, '"$1"');
  return `podwire: ${message}\nSee "podwire --help".\n`;
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'format of the output').choices(OUTPUT_FORMATS).default('table');
}

function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'how long all requests may take').argParser(parseSeconds).default(10);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,4}$/.test(text) && seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a whole number of seconds from 1 to 9999.');
}

function rootOption(description: string): Option {
  return new Option('--root <folder>', description).argParser((path) => {
    if (path.startsWith('/')) return path;
    throw new InvalidArgumentError('Expected an absolute folder.');
  });
}

const NODE_ROOT = 'where the file system of the node is: / on the node itself (default: /host if it is mounted there)';

interface DoctorFlags {
  readonly output: OutputFormat;
  readonly verbose?: true;
  readonly timeout: number;
  readonly root?: string;
  readonly kubeconfig?: string;
  readonly try?: true;
}

function addDiagnosis(program: Command, io: CliIo, ended: (status: number) => void): void {
  program.commandsGroup('Diagnose:');
  program
    .command('doctor')
    .summary('check this node, and explain what is wrong and what to do')
    .description(
      'Check this node: root causes first, each with its evidence and a fix.\nWith a number, explain that finding.',
    )
    .argument('[number]', 'a finding to explain, such as PW401')
    .option('-v, --verbose', 'show passed and skipped checks, too')
    .option('--try', 'attach a network namespace without a pod, send packets, remove it')
    .option('--kubeconfig <file>', 'of an administrator, to read what the plugin may not')
    .addOption(timeoutOption())
    .addOption(rootOption(NODE_ROOT))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  podwire doctor\n  podwire doctor PW401\n  podwire doctor -o json | jq -r .verdict\n' +
        '  kubectl -n kube-system exec ds/podwire -c token -- podwire doctor',
    )
    .action(async (number: string | undefined, flags: DoctorFlags) => {
      const options = {
        output: flags.output,
        verbose: flags.verbose === true,
        timeoutSeconds: flags.timeout,
        root: flags.root,
        kubeconfig: flags.kubeconfig,
        try: flags.try === true,
      };
      ended(await (await import('./doctor.ts')).runDoctor(number, options, io));
    });
  program.commandsGroup('Preview and test:');
  program
    .command('test')
    .summary('test a network configuration: address, token, permissions')
    .description(
      'Test a network configuration, of one plugin or of a list: address, certificate,\nclock, token, permissions and Node.',
    )
    .option('--config <file>', 'the configuration (default: stdin, or on a terminal the first of the node)')
    .addOption(timeoutOption())
    .addHelpText('after', '\nExample:\n  podwire test --config /etc/cni/net.d/10-podwire.conflist')
    .action(async ({ config, timeout }: { readonly config?: string; readonly timeout: number }) => {
      ended(await (await import('./test-connection.ts')).runTest({ config, timeoutSeconds: timeout }, io));
    });
}

function addManagement(program: Command, io: CliIo, ended: (status: number) => void): void {
  program.commandsGroup('Manage a node:');
  program
    .command('gc')
    .summary('release what no longer belongs to a sandbox')
    .description(
      "Release what belongs to no sandbox any more: interfaces, leases, records and\nendpoints. Shows it, asks, and removes it as GC of the CNI protocol does. The list of\nsandboxes is the container runtime's own.",
    )
    .option('--dry-run', 'only show it')
    .option('--yes', 'do not ask')
    .addOption(outputOption())
    .addHelpText('after', '\nExamples:\n  podwire gc --dry-run\n  podwire gc --yes')
    .action(async (flags: { readonly dryRun?: true; readonly yes?: true; readonly output: OutputFormat }) => {
      const options = { isDryRun: flags.dryRun === true, isConfirmed: flags.yes === true, output: flags.output };
      ended(await (await import('./gc.ts')).runGc(options, io));
    });
  program
    .command('install')
    .summary('install podwire on a node, and renew its token')
    .description('Install podwire on a node, from a pod. docs/install.md describes the environment.')
    .option('--watch', 'keep the token up to date until the process is ended')
    .option('--as-calico', 'with the names of files and accounts that Calico uses')
    .addOption(rootOption('where the file system of the node is mounted (default: /host)'))
    .action(async (flags: { readonly watch?: true; readonly asCalico?: true; readonly root?: string }) => {
      const args = [
        ...(flags.watch ? ['--watch'] : []),
        ...(flags.asCalico ? ['--as-calico'] : []),
        ...rootArgs(flags),
      ];
      ended(await (await import('../install/install.ts')).runInstall(installIo(io, args)));
    });
  program
    .command('uninstall')
    .summary('remove podwire from a node')
    .description('Remove from a node what "podwire install" has installed.')
    .option('--force', 'also while pods are attached')
    .addOption(rootOption('where the file system of the node is mounted (default: /host)'))
    .action(async (flags: { readonly force?: true; readonly root?: string }) => {
      const args = [...(flags.force ? ['--force'] : []), ...rootArgs(flags)];
      ended(await (await import('../install/uninstall.ts')).runUninstall(installIo(io, args)));
    });
}

function rootArgs({ root }: { readonly root?: string }): readonly string[] {
  return root === undefined ? [] : ['--root', root];
}

function installIo({ called, listenForTermination, ...io }: CliIo, args: readonly string[]): InstallIo {
  return { ...io, args, executablePath: called.executablePath, signal: listenForTermination() };
}

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
