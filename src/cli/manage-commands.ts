import type { Command } from 'commander';
import type { InstallingIo } from '../install/install.ts';
import type { InstallIo } from '../install/run-with-log.ts';
import type { CliIo } from './cli-io.ts';
import { checkRenewalOption, outputOption, rootOption, timeoutOption } from './options.ts';
import type { OutputFormat } from './output-format.ts';

/** Adds the commands that test a configuration, and those that change a node. */
export function addManagement(program: Command, io: CliIo, ended: (status: number) => void): void {
  program.commandsGroup('Preview and test:');
  program
    .command('plan')
    .summary('print what an ADD would do on this node, without doing it')
    .description('Print what an ADD would do on this node, step by step, without doing any of it.')
    .option('--pod <namespace/name>', 'the pod (default: a network namespace without a pod)')
    .option('--config <file>', 'the configuration (default: stdin, or on a terminal the first of the node)')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  podwire plan --pod default/web < /etc/cni/net.d/10-podwire.conflist')
    .action(async (flags: { readonly pod?: string; readonly config?: string; readonly output: OutputFormat }) => {
      const options = { pod: flags.pod, config: flags.config, output: flags.output };
      ended(await (await import('./plan-add.ts')).runPlan(options, io));
    });
  program
    .command('test')
    .summary('test a network configuration: address, token, permissions')
    .description(
      'Test a network configuration, of one plugin or of a list: address, certificate, clock, token, permissions and Node.',
    )
    .option('--config <file>', 'the configuration (default: stdin, or on a terminal the first of the node)')
    .addOption(timeoutOption())
    .addHelpText('after', '\nExample:\n  podwire test --config /etc/cni/net.d/10-podwire.conflist')
    .action(async ({ config, timeout }: { readonly config?: string; readonly timeout: number }) => {
      ended(await (await import('./test-connection.ts')).runTest({ config, timeoutSeconds: timeout }, io));
    });
  program.commandsGroup('Manage a node:');
  program
    .command('gc')
    .summary('release what no longer belongs to a sandbox')
    .description(
      "Release what belongs to no sandbox any more: interfaces, leases, records and endpoints. Shows it, asks, and removes it as GC of the CNI protocol does. The list of sandboxes is the container runtime's own.",
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
    .addOption(checkRenewalOption())
    .addOption(rootOption('where the file system of the node is mounted (default: /host)'))
    .action(async ({ checkRenewal, ...flags }: InstallFlags) => {
      if (checkRenewal !== undefined) {
        ended((await import('../install/check-renewal.ts')).checkRenewal(checkRenewal, io.writeStderr));
        return;
      }
      const args = [
        ...(flags.watch ? ['--watch'] : []),
        ...(flags.asCalico ? ['--as-calico'] : []),
        ...rootArgs(flags),
      ];
      const { runInstall } = await import('../install/install.ts');
      const observe: InstallingIo['observeNetworks'] = async (root, readPodCidrs) =>
        (await import('./observe/observe-networks.ts')).observeNetworks(root, io.environment, readPodCidrs);
      const install = (shared: CliIo) => runInstall({ ...installIo(shared, args), observeNetworks: observe });
      if (flags.watch !== true) ended(await install(io));
      else ended(await (await import('./watch-gc.ts')).runWithGc(io, install));
    });
  program
    .command('uninstall')
    .summary('remove podwire from a node')
    .description('Remove from a node what "podwire install" has installed.')
    .option('--force', 'also while pods are attached')
    .option('--wait', 'wait until no pod needs it, and the node is cordoned or has another network')
    .option('--purge', 'remove the log, too')
    .addOption(rootOption('where the file system of the node is mounted (default: /host)'))
    .action(async (flags: { readonly root?: string; readonly [flag: string]: string | true | undefined }) => {
      const given = ['force', 'wait', 'purge'].filter((flag) => flags[flag] === true);
      const args = [...given.map((flag) => `--${flag}`), ...rootArgs(flags)];
      ended(await (await import('../install/uninstall.ts')).runUninstall(installIo(io, args)));
    });
}

interface InstallFlags {
  readonly watch?: true;
  readonly asCalico?: true;
  readonly checkRenewal?: number;
  readonly root?: string;
}

function rootArgs({ root }: { readonly root?: string }): readonly string[] {
  return root === undefined ? [] : ['--root', root];
}

function installIo({ called, listenForTermination, ...io }: CliIo, args: readonly string[]): InstallIo {
  return { ...io, args, executablePath: called.executablePath, signal: listenForTermination() };
}
