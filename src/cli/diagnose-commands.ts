import { Argument, type Command } from 'commander';
import { UsageError, type CliIo } from './cli-io.ts';
import { NODE_ROOT, outputOption, rootOption, timeoutOption } from './options.ts';
import type { OutputFormat } from './output-format.ts';

const RESOURCE_WORDS = ['workloadendpoints', 'weps', 'wep', 'leases', 'podcidrs', 'attachments'];

interface GetFlags {
  readonly output: OutputFormat;
  readonly namespace?: string;
  readonly allNamespaces?: true;
  readonly node?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly timeout: number;
}

interface DoctorFlags {
  readonly output: OutputFormat;
  readonly verbose?: true;
  readonly timeout: number;
  readonly root?: string;
  readonly kubeconfig?: string;
  readonly try?: true;
  readonly cluster?: true;
  readonly pre?: true;
  readonly node?: string;
  readonly context?: string;
}

/** Adds the commands that show what is on a node and in a cluster, and what is wrong. */
export function addDiagnosis(program: Command, io: CliIo, ended: (status: number) => void): void {
  program.commandsGroup('Diagnose:');
  program
    .command('doctor')
    .summary('check this node, and explain what is wrong and what to do')
    .description(
      'Check this node: root causes first, each with its evidence and a fix. With a number, explain that finding.',
    )
    .argument('[number]', 'a finding to explain, such as PW401')
    .option('-v, --verbose', 'show passed and skipped checks, too')
    .option('--try', 'attach a network namespace without a pod, send packets, remove it')
    .option('--cluster', 'check the objects of the cluster, and show every node')
    .option('--pre', 'with --cluster: whether podwire can be installed')
    .option('--node <name>', 'run doctor in the podwire pod of another node, with kubectl')
    .option('--kubeconfig <file>', 'of an administrator, to read what the plugin may not')
    .option('--context <name>', 'the context of the kubeconfig')
    .addOption(timeoutOption())
    .addOption(rootOption(NODE_ROOT))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  podwire doctor\n  podwire doctor PW401\n  podwire doctor -o json | jq -r .verdict\n  podwire doctor --cluster --kubeconfig admin.conf\n' +
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
      if (flags.pre === true && flags.cluster !== true) throw new UsageError('--pre needs --cluster');
      const inCluster = { ...options, isBeforeInstall: flags.pre === true, context: flags.context };
      if (flags.cluster === true) {
        ended(await (await import('./cluster-doctor.ts')).runClusterDoctor(inCluster, io));
      } else if (flags.node !== undefined) {
        const args = ['-o', flags.output, ...(options.verbose ? ['--verbose'] : [])];
        ended(await (await import('./cluster-doctor.ts')).runDoctorOnNode(flags.node, args, inCluster, io));
      } else ended(await (await import('./doctor.ts')).runDoctor(number, options, io));
    });
  program
    .command('explain')
    .summary("show one pod's network in full, and what differs from the plan")
    .description(
      'Show everything about one attachment: sandbox, both interfaces, addresses, routes, settings, lease, record, endpoint, and what differs from the plan.',
    )
    .argument('<target>', 'NAMESPACE/POD, a container id, an address, or a host interface')
    .option('-v, --verbose', 'show every setting')
    .addOption(rootOption(NODE_ROOT))
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  podwire explain default/web\n  podwire explain 10.244.2.7\n  podwire explain cali46b6bee22de',
    )
    .action(
      async (
        target: string,
        flags: { readonly output: OutputFormat; readonly verbose?: true; readonly root?: string },
      ) => {
        const options = { output: flags.output, verbose: flags.verbose === true, root: flags.root };
        ended(await (await import('./explain.ts')).runExplain(target, options, io));
      },
    );
  program
    .command('get')
    .summary('list workloadendpoints, podcidrs, leases or attachments')
    .description(
      'List workload endpoints and podCIDRs of the cluster, with the kubeconfig of kubectl, or leases and attachments of this node.',
    )
    .addArgument(new Argument('<resource>', 'what to list').choices(RESOURCE_WORDS))
    .option('-n, --namespace <name>', 'workload endpoints of this namespace (default: default)')
    .option('-A, --all-namespaces', 'workload endpoints of all namespaces')
    .option('--node <name>', 'only workload endpoints of this node')
    .option('--kubeconfig <file>', 'the kubeconfig (default: that of kubectl)')
    .option('--context <name>', 'the context of the kubeconfig (default: the current one)')
    .addOption(timeoutOption())
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExamples:\n  podwire get workloadendpoints -A -o wide\n  podwire get leases\n  podwire get podcidrs --kubeconfig admin.conf',
    )
    .action(async (name: string, flags: GetFlags) => {
      const { findResource, runGet } = await import('./get.ts');
      const options = {
        output: flags.output,
        namespace: flags.allNamespaces === true ? undefined : (flags.namespace ?? 'default'),
        showsNamespace: flags.allNamespaces === true || flags.namespace !== undefined,
        node: flags.node,
        kubeconfig: flags.kubeconfig,
        context: flags.context,
        timeoutSeconds: flags.timeout,
      };
      ended(await runGet(findResource(name) ?? 'workloadendpoints', options, io));
    });
  program
    .command('trace')
    .summary('draw how long each part of a command took')
    .description(
      'Draw the spans of a command from a file of OTLP lines, which the key trace_file of the network configuration makes podwire write.',
    )
    .argument('<file>', 'the file')
    .option('--id <prefix>', 'the beginning of the id of a trace (default: the last trace)')
    .option('--list', 'list all traces')
    .option('--svg <file>', 'write a picture instead')
    .addHelpText(
      'after',
      '\nExamples:\n  podwire trace /var/log/podwire/traces.jsonl\n  podwire trace traces.jsonl --id 4bf92f35 --svg add.svg',
    )
    .action(async (filePath: string, flags: { readonly id?: string; readonly list?: true; readonly svg?: string }) => {
      const options = { filePath, id: flags.id, isList: flags.list === true, svgPath: flags.svg };
      ended(await (await import('./trace.ts')).runTrace(options, io));
    });
  program
    .command('support')
    .summary('pack findings, state and log into one archive (secrets masked)')
    .description(
      'Pack findings, configuration, journal, leases, log, links, routes, settings and versions into one archive. Tokens and keys are masked.',
    )
    .option('--file <path>', 'the archive (default: podwire-support-NODE-TIME.tar.gz)')
    .addOption(timeoutOption())
    .addOption(rootOption(NODE_ROOT))
    .addHelpText('after', '\nExample:\n  podwire support --file /tmp/support.tar.gz')
    .action(async (flags: { readonly file?: string; readonly root?: string; readonly timeout: number }) => {
      const options = { file: flags.file, root: flags.root, timeoutSeconds: flags.timeout };
      ended(await (await import('./support.ts')).runSupport(options, io));
    });
}
