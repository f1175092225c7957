import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { member, memberText } from '../../lab/member.ts';
import { until } from '../../lab/until.ts';
import { tokenIn } from '../../support/installer/install-node.ts';
import type { NodeShell } from './node-shell.ts';

/** What `podwire doctor` has found. */
export interface Report {
  readonly exitCode: number | null;
  readonly verdict: string;
  /** The number of each root cause, with the numbers of what it causes. */
  readonly causes: readonly (readonly string[])[];
  readonly fix: readonly string[];
}

/** Runs doctor on a node. */
export async function doctor(of: DoctorNode, ...args: readonly string[]): Promise<Report> {
  const { exitCode, answer, stderr } = await of.podwire('doctor', '-o', 'json', ...args);
  expect(stderr).toBe('');
  const findings = listOf(answer, 'findings');
  return {
    exitCode,
    verdict: memberText(answer, 'verdict'),
    causes: findings.map((finding) => [
      memberText(finding, 'id'),
      ...listOf(finding, 'consequences').map((consequence) => memberText(consequence, 'id')),
    ]),
    fix: findings.flatMap((finding) => listOf(finding, 'fix')).map(String),
  };
}

/** A list in the answer. */
export function listOf(value: unknown, key: string): readonly unknown[] {
  const list: unknown = member(value, key);
  return Array.isArray(list) ? list : [];
}

/** Of a node without a finding. */
export const HEALTHY = { exitCode: 0, verdict: 'ok', causes: [], fix: [] };

/** Where a fault is repaired. */
export interface Surroundings {
  readonly on: DoctorNode;
  readonly within: NodeShell;
  readonly args?: readonly string[];
  /** What the runtime does automatically: it tries a pod again. */
  readonly retry?: () => Promise<unknown>;
}

/** Expects this cause first, pastes every command of the report, and expects a healthy node. */
export async function repairAs(
  first: string,
  { on, within, args = [], retry = async () => undefined }: Surroundings,
): Promise<Report> {
  const report = await doctor(on, ...args);
  expect(report).toMatchObject({ exitCode: 1, causes: expect.arrayContaining([expect.arrayContaining([first])]) });
  expect(report.causes[0]?.[0]).toBe(first);
  await expectReadable(on, args);
  for (const command of report.fix) await within.paste(command);
  await retry();
  let last: unknown;
  const isHealthy = async () => {
    last = await doctor(on, ...args);
    return JSON.stringify(last) === JSON.stringify(HEALTHY);
  };
  await until('the node is healthy', isHealthy, { explain: () => JSON.stringify(last) });
  return report;
}

/** What people see fits into 80 columns, names the same numbers, and shows no token. */
export async function expectReadable(on: DoctorNode, args: readonly string[]): Promise<void> {
  const { stdout } = await on.podwire('doctor', '--verbose', ...args);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  const token = tokenIn(await readFile(on.kubeconfigPath, 'utf8'));
  expect(token).toMatch(/^eyJ/);
  expect(stdout).not.toContain(token.slice(-20));
}
