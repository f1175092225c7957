import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { startNodePolicyAgent } from '../support/kubelet/policy-agent.ts';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { startKubeletNode, type KubeletNode } from '../support/kubelet/kubelet-node.ts';
import { readTemplate } from '../support/servers/manifest.ts';
import { useForAllTests } from '../support/suite/hooks.ts';
import { CLUSTER_DNS, NODE_ADDRESS, startControlPlane } from './control-plane.ts';
import { completeResults, parseSpecReport, type SpecResult } from '../../scripts/versions/spec-report.ts';
import { testImage } from './test-image.ts';

// Kubernetes' own specs of sig-network that fit one node, on podwire with Cilium's agent chained after it for the policies.

const FOCUS = 'sig-network.*(\\[Conformance\\]|NetworkPolicy)';
/** The kernel may have no SCTP, which only some of these specs need. */
const SKIP = 'SCTPConnectivity';
/** For `npm run conformance`, which writes a page from it. */
const REPORT_PATH = process.env['PODWIRE_CONFORMANCE_REPORT'];

let node: KubeletNode;
let results: readonly SpecResult[] = [];

useForAllTests(
  async () =>
    (node = await startKubeletNode({ api: { listenAddress: NODE_ADDRESS, isForPods: true }, clusterDns: CLUSTER_DNS })),
);
useForAllTests(() => startNodePolicyAgent(node));
useForAllTests(() => startControlPlane(node.cluster));
beforeAll(async () => {
  await applyDaemonSet(node, { template: readTemplate('components/cilium') });
  await node.pods.nodeIsReady();
  results = await runSpecs();
  if (REPORT_PATH !== undefined) await writeFile(REPORT_PATH, JSON.stringify(results));
}, 3_600_000);

it('every spec that was selected has run', () => expect(results.length).toBeGreaterThan(90));

it('no spec has failed', () => {
  const failed = results.filter(({ state }) => state !== 'passed');
  expect(failed.map(({ name, failure }) => `${name}: ${failure}`)).toEqual([]);
});

async function runSpecs(): Promise<readonly SpecResult[]> {
  const tools = await ensureTools(['e2e.test', 'agnhost', 'kubectl']);
  const folder = await mkdtemp(join(tmpdir(), 'podwire-conformance-'));
  try {
    const { stdout } = await run(tools['e2e.test'], ['--list-images']);
    const names = stdout
      .split('\n')
      .filter((name) => /e2e-test-images\/(agnhost|glibc-dns-testing|nginx):|\/pause:/.test(name));
    const archive = join(folder, 'image.tar');
    await writeFile(archive, await testImage(tools.agnhost, names));
    await node.runtime.importImage(archive);
    const kubeconfig = join(folder, 'kubeconfig');
    const administrator = { commonName: 'e2e', organizations: ['system:masters'] };
    await writeFile(kubeconfig, JSON.stringify(node.cluster.kubeconfigWithClientCertificate(administrator)));
    const report = join(folder, 'report.json');
    const selection = [
      `--kubeconfig=${kubeconfig}`,
      '--provider=skeleton',
      `--ginkgo.focus=${FOCUS}`,
      `--ginkgo.skip=${SKIP}`,
    ];
    const output = { maxBuffer: 1024 * 1024 * 1024 };
    await run(tools['e2e.test'], [...selection, '--ginkgo.dry-run', `--ginkgo.json-report=${report}`], output);
    const selected = parseSpecReport(await readFile(report, 'utf8'));
    // A failed spec is in the report, and the exit status says nothing more.
    await run(
      tools['e2e.test'],
      [
        ...selection,
        `--kubectl-path=${tools.kubectl}`,
        '--num-nodes=1',
        '--allowed-not-ready-nodes=20',
        '--disable-log-dump',
        '--ginkgo.timeout=55m',
        '--ginkgo.no-color',
        `--ginkgo.json-report=${report}`,
      ],
      {
        ...output,
        env: { ...process.env, PATH: `${dirname(tools.kubectl)}:${process.env['PATH']}` },
      },
    ).catch((error: unknown) => error);
    return completeResults(selected, parseSpecReport(await readFile(report, 'utf8')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const run = promisify(execFile);
