import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../lab/api-server/kube-apiserver.ts';
import { makeKubectl, type Kubectl } from '../lab/api-server/kubectl.ts';
import { until } from '../lab/until.ts';
import { readPage } from '../docs/tracked-pages.ts';

// The commands of docs/install.md that change objects, in the order of the page, with the real kubectl.

const PAGE = readPage('docs/install.md');
const POLICIES = 'globalnetworkpolicies.crd.projectcalico.org';

let cluster: Cluster;
let kubectl: Kubectl;
beforeAll(async () => {
  cluster = await startCluster();
  kubectl = await makeKubectl(cluster);
});
afterAll(async () => {
  await kubectl[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

/** The commands in the code blocks of a section that begin with one of the words, without their comments. */
function commandsOf(heading: string, verbs: RegExp): readonly (readonly string[])[] {
  const start = PAGE.indexOf(`\n## ${heading}\n`);
  if (start < 0) throw new Error(`docs/install.md has no section ${heading}`);
  const section = PAGE.slice(start + 1, PAGE.indexOf('\n## ', start + 1));
  return [...section.matchAll(/^ {4,}kubectl (.*)$/gm)]
    .map(([, command = '']) => command.replace(/\s+#.*$/, ''))
    .filter((command) => verbs.test(command))
    .map((command) => command.split(' '));
}

const objectsOfPodwire = async (): Promise<readonly string[]> => {
  const kinds = 'daemonsets,serviceaccounts,configmaps,roles,rolebindings,services,deployments,poddisruptionbudgets';
  const wide = 'clusterroles,clusterrolebindings,validatingadmissionpolicies,validatingadmissionpolicybindings';
  const names = await Promise.all([
    kubectl.succeed(['get', kinds, '--all-namespaces', '-o', 'name']),
    kubectl.succeed(['get', wide, '-o', 'name']),
  ]);
  return names.flatMap((text) => text.split('\n')).filter((name) => name.includes('podwire'));
};

describe('the page from the installation to the removal', () => {
  it('section 2 installs podwire with the agent', async () => {
    const commands = commandsOf('2. The installation', /^(apply -f|create)/);
    expect(commands.map((words) => words.join(' '))).toEqual([
      'apply -f cni-conf/rbac.yaml',
      'create -f cni-conf/rendered/agent-crds.yaml',
      'apply -f cni-conf/rendered/policy-only.yaml',
    ]);
    for (const command of commands) await kubectl.succeed(command);
    await kubectl.succeed(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    expect(await objectsOfPodwire()).toEqual(
      expect.arrayContaining(['daemonset.apps/podwire', 'daemonset.apps/podwire-agent']),
    );
    const policy = { apiVersion: 'crd.projectcalico.org/v1', kind: 'GlobalNetworkPolicy', metadata: { name: 'deny' } };
    await kubectl.succeed(['apply', '-f', '-'], JSON.stringify(policy));
  });

  it('step 3 of section 2 a second time says AlreadyExists, as the page says', async () => {
    const [, create = []] = commandsOf('2. The installation', /^(apply -f|create)/);
    expect((await kubectl.run(create)).stderr).toContain('AlreadyExists');
  });

  it('section 11 removes every object of podwire, and policies only with its last command', async () => {
    const commands = commandsOf('11. Uninstall', /^(-n kube-system delete|delete|apply)/);
    expect(commands.length).toBe(7);
    await kubectl.succeed(['apply', '-f', 'cni-conf/monitoring/events/events.yaml']);
    for (const command of commands.slice(0, -1)) await kubectl.succeed(command);
    await until('the objects are gone', async () => (await objectsOfPodwire()).length === 0);
    expect(await kubectl.succeed(['get', POLICIES, '-o', 'name'])).toContain('/deny');
    const last = commands.at(-1) ?? [];
    expect(last.join(' ')).toBe('delete -f cni-conf/rendered/agent-crds.yaml');
    await kubectl.succeed(last);
    expect((await kubectl.run(['get', POLICIES])).exitCode).toBe(1);
  });

  it('every command that deletes policies has its warning before it', () => {
    for (const match of PAGE.matchAll(/^ {4,}kubectl delete .*agent-crds.*$/gm)) {
      const before = PAGE.slice(0, match.index);
      expect(before.slice(before.lastIndexOf('**Warning: '))).toContain('deletes every policy');
    }
    expect(PAGE).toContain('kubectl delete -f cni-conf/rendered/agent-crds.yaml');
  });
});
