import type { Cause, Diagnosis } from '../diagnosis/diagnose.ts';
import type { Effect, FindingDescription } from '../diagnosis/finding-description.ts';
import { FINDINGS, isKnownFinding } from '../diagnosis/finding-table.ts';
import type { Finding, Outcome } from '../diagnosis/finding.ts';
import { escapeControls } from '../log/log-line.ts';
import { MAX_COLUMNS, type Terminal } from './terminal.ts';
import { breakCommand, wrapCommand, wrapText } from './wrap.ts';

/** What the header of a report names. */
export interface ReportHeader {
  /** In their order: node, versions, time. */
  readonly parts: readonly string[];
}

/** Formats a diagnosis for people: root causes with what follows from them, and with `isVerbose` every check. */
export function formatReport(
  diagnosis: Diagnosis,
  header: ReportHeader,
  terminal: Terminal,
  options: { readonly isVerbose: boolean },
): string {
  const { causes, passed, skipped } = diagnosis;
  const lines = [
    ...wrapText(header.parts.join(` ${terminal.symbols.dot} `), MAX_COLUMNS),
    '',
    verdictOf(diagnosis, terminal),
    '',
    ...causes.flatMap((cause) => [...formatCause(cause, terminal), '']),
    ...(options.isVerbose ? formatChecks([...passed, ...skipped], terminal) : []),
    ...summaryOf(diagnosis, options.isVerbose),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Formats findings and passed checks, without a verdict. */
export function formatFindings({ causes, passed, skipped }: Diagnosis, terminal: Terminal): string {
  const lines = [
    ...causes.flatMap((cause) => formatCause(cause, terminal)),
    ...[...passed, ...skipped].flatMap((finding) => formatFinding(finding, terminal)),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** Formats what the table says about one number, without any node. */
export function formatDescription(
  number: string,
  { title, effect, cause, remedy, causes }: FindingDescription,
): string {
  const part = (label: string, text: string) => labelled(label, wrapText(text, MAX_COLUMNS - 9), 9);
  const others = causes.map((other) => `${other} ${isKnownFinding(other) ? FINDINGS[other].title : ''}`);
  const lines = [
    `${number}  ${title}`,
    '',
    ...part('effect', effect),
    ...part('cause', cause),
    ...part('remedy', remedy),
    ...(others.length === 0 ? [] : labelled('causes', others, 9)),
    ...part('more', `docs/troubleshooting.md#${number.toLowerCase()}`),
  ];
  return `${lines.join('\n')}\n`;
}

const VERDICTS: Readonly<Record<Effect, string>> = {
  'pods cannot start': 'New pods cannot start on this node.',
  'pods have no traffic': 'Pods on this node have no network, or only a part of it.',
  'will fail soon': 'Some new pods cannot start on this node.',
  untidy: 'Something is wrong on this node.',
};

function verdictOf({ causes, needRoot }: Diagnosis, { paint }: Terminal): string {
  const [worst] = causes;
  if (worst === undefined) {
    const verdict =
      needRoot === 0 ? 'Pods can start on this node.' : `Nothing wrong was found, but ${describeNeed(needRoot)}`;
    return `${paint('green', 'OK')}    ${verdict}`;
  }
  if (worst.finding.outcome === 'warning') {
    return `${paint('yellow', 'WARN')}  Pods can start on this node, but something needs attention.`;
  }
  const effect = isKnownFinding(worst.finding.number) ? FINDINGS[worst.finding.number].effect : 'untidy';
  return `${paint('red', 'FAIL')}  ${VERDICTS[effect]}`;
}

function describeNeed(needRoot: number): string {
  return `${needRoot === 1 ? 'one check needs' : `${needRoot} checks need`} root: sudo podwire doctor`;
}

/** The column of labels, and that of texts. */
const LABEL_COLUMN = 9;
const TEXT_COLUMN = 19;

function formatCause({ finding, consequences }: Cause, terminal: Terminal): readonly string[] {
  const { evidence, fix } = finding;
  const width = MAX_COLUMNS - TEXT_COLUMN;
  const indent = ' '.repeat(LABEL_COLUMN);
  return [
    ...formatFinding(finding, terminal),
    ...evidence.flatMap(([label, text]) =>
      labelled(`${indent}${label}`, wrapText(escapeControls(text), width), TEXT_COLUMN),
    ),
    ...fix.flatMap((command, index) => formatFix(command, `${indent}${index === 0 ? 'fix' : ''}`, width)),
    ...consequences.flatMap(({ number, summary }, index) =>
      labelled(
        `${indent}${index === 0 ? 'also' : ''}`,
        wrapText(`${number} ${escapeControls(summary)}`, width),
        TEXT_COLUMN,
      ),
    ),
  ];
}

// A command with a word that is too long for the column begins at the left edge, where its lines can be broken anywhere.
function formatFix(command: string, label: string, width: number): readonly string[] {
  const lines = wrapCommand(command, width, '  ');
  const fits = lines.every((line) => line.length <= width);
  return fits ? labelled(label, lines, TEXT_COLUMN) : [label, ...breakCommand(command, MAX_COLUMNS)];
}

const COLORS = { failed: 'red', warning: 'yellow', ok: 'green', skipped: 'dim' } as const satisfies Record<
  Outcome,
  string
>;

function formatFinding(
  { number, outcome, summary }: Finding,
  { paint, symbols }: Terminal,
  indent = '',
): readonly string[] {
  const lines = wrapText(escapeControls(summary), MAX_COLUMNS - LABEL_COLUMN - indent.length);
  return labelled(`${symbols[outcome]} ${number}`, lines, LABEL_COLUMN).map((line, index) =>
    index === 0 ? `${indent}${paint(COLORS[outcome], line.slice(0, 1))}${line.slice(1)}` : `${indent}${line}`,
  );
}

/** The first digit of a number is its subject. */
const SUBJECTS: Readonly<Record<string, string>> = {
  1: 'Runtime',
  2: 'API server',
  3: 'Addresses',
  4: 'Permissions',
  5: 'Node',
  6: 'Pods',
  7: 'Policy',
  8: 'Between nodes',
  9: 'Cluster',
};

function formatChecks(checks: readonly Finding[], terminal: Terminal): readonly string[] {
  const sorted = checks.toSorted((one, other) => one.number.localeCompare(other.number));
  const lines: string[] = [];
  let subject = '';
  for (const check of sorted) {
    const [, digit = ''] = /^PW(\d)/.exec(check.number) ?? [];
    if (digit !== subject) lines.push(terminal.paint('bold', SUBJECTS[digit] ?? ''));
    subject = digit;
    lines.push(...formatFinding(check, terminal, '  '));
  }
  return [...lines, ''];
}

function summaryOf({ causes, passed, skipped, needRoot }: Diagnosis, isVerbose: boolean): readonly string[] {
  const counts = `${passed.length} ${passed.length === 1 ? 'check' : 'checks'} passed, ${skipped.length} skipped`;
  const [first] = causes;
  const explain = first === undefined ? '' : ` Explain one: podwire doctor ${first.finding.number}`;
  // Without a finding, the verdict says it.
  const need = needRoot === 0 || first === undefined ? [] : [`Of these, ${describeNeed(needRoot)}`];
  return [isVerbose ? counts : `${counts} (-v shows all).${explain}`, ...need];
}

/** Puts a label before the first line, and indents all lines to a column. */
function labelled(label: string, lines: readonly string[], column: number): readonly string[] {
  return lines.map((line, index) => `${(index === 0 ? label : '').padEnd(column)}${line}`);
}
