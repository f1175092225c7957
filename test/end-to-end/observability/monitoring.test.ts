import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { kustomize } from '../../../build/render-overlay.ts';
import { isJsonObject } from '../../../src/json/json.ts';
import { makeMetrics } from '../../../src/metrics/metrics.ts';
import { startCluster } from '../../lab/api-server/kube-apiserver.ts';
import { member } from '../../lab/member.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { applyManifest, parseManifest } from '../../support/servers/manifest.ts';

const CNI_CONF = join(import.meta.dirname, '../../../cni-conf');
const MONITORING = join(CNI_CONF, 'monitoring');
const DASHBOARD: unknown = JSON.parse(readFileSync(join(MONITORING, 'dashboard.json'), 'utf8'));

let run: (...args: readonly string[]) => Promise<{ readonly stdout: string }>;
beforeAll(async () => {
  const { promtool } = await ensureTools(['promtool']);
  run = (...args) => promisify(execFile)(promtool, args);
});

/** The expressions of the dashboard, with its variables replaced. */
function expressions(): readonly string[] {
  const panels: unknown = member(DASHBOARD, 'panels');
  return (Array.isArray(panels) ? panels : []).flatMap((panel: unknown) => {
    const targets: unknown = member(panel, 'targets');
    return (Array.isArray(targets) ? targets : []).map((target: unknown) =>
      String(member(target, 'expr')).replaceAll('$instance', '.*').replaceAll('$__rate_interval', '5m'),
    );
  });
}

describe('the alert rules', () => {
  it('are valid', async () =>
    expect((await run('check', 'rules', join(MONITORING, 'alerts.yaml'))).stdout).toContain('4 rules found'));
  it('fire when they should, and only then', async () =>
    expect((await run('test', 'rules', join(MONITORING, 'alerts.test.yaml'))).stdout).toContain('SUCCESS'));
});

describe('the dashboard', () => {
  it('has valid expressions', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'podwire-dashboard-'));
    const rules = expressions().map((expr, index) => ({ record: `panel:${index}`, expr }));
    const path = join(folder.path, 'rules.yaml');
    await writeFile(path, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    expect((await run('check', 'rules', path)).stdout).toContain(`${rules.length} rules found`);
    expect(rules.length).toBeGreaterThanOrEqual(10);
  });

  it('and the alerts name only metrics that podwire has', async () => {
    const text = await makeMetrics().format();
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    const used = [...expressions(), readFileSync(join(MONITORING, 'alerts.yaml'), 'utf8')]
      .flatMap((source) => [...source.matchAll(/\bpodwire_[a-z_]+/g)].map(([name]) => name))
      .map((name) => name.replace(/_bucket$/, ''));
    expect([...new Set(used)].filter((name) => !known.has(name))).toEqual([]);
    // Each is on the dashboard.
    expect([...known].filter((name) => !expressions().some((source) => source.includes(String(name))))).toEqual([]);
  });
});

describe('the components', () => {
  it('add the metrics and the right to write events to an overlay, as the API server accepts them', async () => {
    await using cluster = await startCluster();
    await using folder = await mkdtempDisposable(join(CNI_CONF, '.test-'));
    const parts = {
      resources: [relative(folder.path, join(CNI_CONF, 'overlays/podcidr-routes'))],
      components: [MONITORING, join(MONITORING, 'events')].map((path) => relative(folder.path, path)),
    };
    await writeFile(join(folder.path, 'kustomization.yaml'), JSON.stringify(parts));
    const objects = parseManifest(await kustomize(folder.path));
    await applyManifest(cluster.admin, objects, 'try');
    const daemonSet = objects.find((object) => object['kind'] === 'DaemonSet' && isJsonObject(object['metadata']));
    const containers: unknown = member(daemonSet, 'spec', 'template', 'spec', 'containers');
    expect(containers).toMatchObject([
      {
        name: 'token',
        env: expect.arrayContaining([
          { name: 'METRICS_ADDRESS', value: ':9817' },
          expect.objectContaining({ name: 'KUBERNETES_NODE_NAME' }),
        ]),
        volumeMounts: expect.arrayContaining([
          { name: 'metrics', mountPath: '/host/var/lib/podwire/metrics' },
          expect.objectContaining({ mountPath: '/host/var/lib/podwire', readOnly: true }),
        ]),
      },
    ]);
    expect(objects.map((object) => object['kind'])).toContain('ValidatingAdmissionPolicy');
  });
});
