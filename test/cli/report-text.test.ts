import { describe, expect, it } from 'vitest';
import { arrange } from '../../src/diagnosis/diagnose.ts';
import { FINDINGS } from '../../src/diagnosis/finding-table.ts';
import { found, passed, skipped } from '../../src/diagnosis/finding.ts';
import { formatDescription, formatFindings, formatReport } from '../../src/cli/report-text.ts';
import { openTerminal } from '../../src/cli/terminal.ts';

const TERMINAL = openTerminal({}, false, undefined);
const HEADER = { parts: ['node-1', 'podwire 0.1.0'] };
const SICK = arrange([
  found('PW401', 'failed', 'It is refused.', {
    evidence: [['file', '/etc/cni/net.d/podwire-kubeconfig']],
    fix: ['kubectl -n kube-system delete pod -l app.kubernetes.io/name=podwire --field-selector spec.nodeName=node-1'],
  }),
  found('PW602', 'failed', 'ADD fails.'),
  passed('PW201', 'it answers'),
  skipped('PW101', 'no socket'),
]);

const report = (diagnosis = SICK, isVerbose = false) => formatReport(diagnosis, HEADER, TERMINAL, { isVerbose });

describe('formatReport', () => {
  it('prints the verdict, the cause, its evidence, its fix and what it causes', () =>
    expect(report().split('\n')).toEqual([
      'node-1 · podwire 0.1.0',
      '',
      'FAIL  New pods cannot start on this node.',
      '',
      '✗ PW401  It is refused.',
      '         file      /etc/cni/net.d/podwire-kubeconfig',
      '         fix       kubectl -n kube-system delete pod -l \\',
      '                     app.kubernetes.io/name=podwire --field-selector \\',
      '                     spec.nodeName=node-1',
      '         also      PW602 ADD fails.',
      '',
      '1 check passed, 1 skipped (-v shows all). Explain one: podwire doctor PW401',
      '',
    ]));

  it('with all checks, sorted by subject', () =>
    expect(report(SICK, true)).toContain('Runtime\n  - PW101  no socket\nAPI server\n  ✓ PW201  it answers\n'));

  it('of a healthy node', () =>
    expect(report(arrange([passed('PW201', 'x')]))).toContain('OK    Pods can start on this node.'));
  it('of a node with warnings', () =>
    expect(report(arrange([found('PW106', 'warning', 'x')]))).toContain('WARN  Pods can start on this node, but'));

  it('by an ordinary user says once that root is needed', () => {
    const healthy = { ...arrange([passed('PW506', 'x'), skipped('PW101', 'x')]), needRoot: 1 };
    expect(report(healthy)).toContain('OK    Nothing wrong was found, but one check needs root: sudo podwire doctor\n');
    expect(report(healthy).split('root')).toHaveLength(2);
    expect(report({ ...SICK, needRoot: 20 })).toContain('\nOf these, 20 checks need root: sudo podwire doctor\n');
  });

  it('evidence cannot control the terminal', () =>
    expect(report(arrange([found('PW602', 'failed', 'x', { evidence: [['message', 'a\u001B[2Jb']] })]))).not.toContain(
      '\u001B',
    ));
});

it('no line is longer than 80 columns', () => {
  const long = 'word '.repeat(60);
  const all = arrange([
    found('PW201', 'failed', long, { evidence: [['problem', long]] }),
    passed('PW301', long),
    skipped('PW302', long),
  ]);
  const texts = [
    report(all, true),
    formatFindings(all, TERMINAL),
    ...Object.entries(FINDINGS).map(([number, description]) => formatDescription(number, description)),
  ];
  expect(texts.flatMap((text) => text.split('\n')).filter((line) => line.length > 80)).toEqual([]);
});

it('a description names cause, remedy and page', () =>
  expect(formatDescription('PW106', FINDINGS.PW106)).toMatch(
    /^PW106 {2}Another network[^]*\ncause {4}A file[^]*\nremedy {3}Remove it[^]*\nmore {5}docs\/troubleshooting.md#pw106\n$/,
  ));
