import { formatMarkdownTable } from '../command-line/text-table.ts';
import type { SpecResult } from './spec-report.ts';

/** How the tests of one file ended. */
export interface FileResult {
  readonly passed: number;
  readonly failed: number;
}

/** A program, its version as it reports it, and the test that ran it. */
export interface TestedPartner {
  readonly what: string;
  readonly version: string;
  readonly test: string;
}

export interface VersionFacts {
  readonly partners: readonly TestedPartner[];
  /** By the path of the file. */
  readonly files: ReadonlyMap<string, FileResult>;
  readonly specs: readonly SpecResult[];
  readonly calicoTest: string;
}

/** Makes docs/versions.md from what was run. A partner without results is reported as not run. */
export function formatVersions({ partners, files, specs, calicoTest }: VersionFacts): string {
  const resultOf = (test: string) => (test === 'specs' ? tallySpecs(specs) : files.get(test));
  const rows = partners.map(({ what, version, test }) => [
    what,
    version,
    describe(resultOf(test)),
    test === 'specs' ? '[specs of Kubernetes](#specs-of-kubernetes)' : `\`${test}\``,
  ]);
  const calico = describe(files.get(calicoTest));
  const groups = ['conformance', 'network policy'] as const;
  const failed = specs.filter(({ state }) => state === 'failed');
  return `# Versions

<!-- Written by npm run conformance from the tests that it ran. -->

What podwire was tested with. Each version is what the program itself reports.

${formatMarkdownTable({ head: ['program', 'version', 'tests', 'in'], rows })}

## Calico

| what | releases | tests |
| --- | --- | --- |
| podwire's image as \`install-cni\` of Calico's DaemonSet, on a kubelet, with stand-ins for the other init containers | 3.31, 3.32, 3.33 | ${calico} |
| agent (Felix, BIRD's confd), Typha, calicoctl | 3.31, 3.32, 3.33 | not run |

The agents were not run because they cannot be fetched as Go modules: the proxy of Go modules serves neither 3.32.1 nor 3.33.0 of
\`github.com/projectcalico/calico\`; the newest that it was found to serve is 3.28.5. What podwire writes for them (names, alias, annotations) is compared with recordings of Calico's own plugin in
\`test/end-to-end/recorded.test.ts\`.

## Which versions their makers support

| project | rule of its makers | tested here |
| --- | --- | --- |
| Kubernetes | the three newest minor versions; podwire needs 1.31 | ${versionOf(partners, 'kube-apiserver')} |
| Cilium | the three newest minor versions: 1.20, 1.19 and 1.18 when this was tested | ${versionOf(partners, 'Cilium')} |
| Calico | the two newest minor versions: 3.33 and 3.32 | see above |

## Specs of Kubernetes

Kubernetes' own end-to-end specs of \`sig-network\` that fit one node: those for conformance, and all for NetworkPolicy except those that need SCTP.
They run on a kubelet with containerd, podwire, Cilium's agent for the policies, kube-proxy, and CoreDNS as the cluster DNS.

${formatMarkdownTable({
  head: ['specs', 'selected', 'passed', 'failed', 'not run'],
  rows: groups.map((group) => {
    const own = specs.filter((spec) => spec.group === group);
    const count = (state: SpecResult['state']) => String(own.filter((spec) => spec.state === state).length);
    return [group, String(own.length), count('passed'), count('failed'), count('not run')];
  }),
})}
${failed.length === 0 ? '' : `\nFailed:\n\n${failed.map(({ name, failure }) => `- ${name}: ${firstLine(failure)}`).join('\n')}\n`}
<details><summary>All of them</summary>

${specs.map(({ name, state }) => `- ${state}: ${name}`).join('\n')}

</details>

## What was not run

- CRI-O; other versions of Kubernetes, containerd and the kernel than those above; arm64 hardware (the executable for arm64 was run under qemu-user).
- Specs that need several nodes, a load balancer, IPv6 or dual stack in the cluster of the specs, or SCTP.
- The charts and operators of Calico, Cilium and Multus: their programs were run with the settings of docs/install.md.
- Anything in a cloud. [install.md](install.md) says for each platform what was run.
`;
}

function tallySpecs(specs: readonly SpecResult[]): FileResult | undefined {
  if (specs.length === 0) return undefined;
  const count = (state: SpecResult['state']) => specs.filter((spec) => spec.state === state).length;
  return { passed: count('passed'), failed: count('failed') };
}

function describe(result: FileResult | undefined): string {
  if (result === undefined || result.passed + result.failed === 0) return 'not run';
  return result.failed === 0 ? `${result.passed} passed` : `${result.passed} passed, ${result.failed} failed`;
}

function versionOf(partners: readonly TestedPartner[], start: string): string {
  return partners.find(({ what }) => what.startsWith(start))?.version ?? 'not run';
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.slice(0, 200) ?? '';
}
