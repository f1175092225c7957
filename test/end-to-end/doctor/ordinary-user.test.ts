import { chmod } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { startDoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { member } from '../../lab/member.ts';
import { EXECUTABLE, runExecutable } from '../../lab/run-executable.ts';
import { listOf } from './doctor-report.ts';

it.each([
  ['the folders of the node', 0o700],
  ['the files in them', 0o755],
])('doctor by a user who cannot read %s says once that root is needed', async (_, mode) => {
  await using node = await startDoctorNode();
  await node.attach('web');
  await chmod(node.folder, mode);
  const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups', EXECUTABLE];
  const run = (...args: readonly string[]) =>
    runExecutable({ executable: 'setpriv', args: [...user, 'doctor', ...args], environment: node.environment });
  const { stdout, stderr, exitCode } = await run();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout.split('need root')).toHaveLength(2);
  expect(stdout).toMatch(/^OK {4}Nothing wrong was found, but \d\d checks need root: sudo podwire doctor$/m);
  expect(stdout).not.toContain('Pods can start');
  const { answer } = await run('-o', 'json');
  expect(member(answer, 'needRoot')).toBeGreaterThan(10);
  expect(listOf(answer, 'findings')).toEqual([]);
  const { answer: ofRoot } = await node.podwire('doctor', '-o', 'json');
  expect(member(ofRoot, 'needRoot')).toBe(0);
});
