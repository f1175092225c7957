import { formatDuration, formatTime } from '../diagnosis/format-time.ts';
import { escapeControls } from '../log/log-line.ts';
import type { AttachmentReport, EndReport, LineReport } from './attachment-report.ts';
import { MAX_COLUMNS, type Terminal } from './terminal.ts';
import { wrapText } from './wrap.ts';

/**
 * Formats everything about an attachment: as a picture on a terminal that is wide enough and not ASCII, otherwise as a
 * list.
 *
 * @param isVerbose shows every setting
 */
export function formatAttachment(
  report: AttachmentReport,
  terminal: Terminal,
  { nowMs, isVerbose }: { readonly nowMs: number; readonly isVerbose: boolean },
): string {
  const { symbols, isInteractive, columns } = terminal;
  const draws = symbols.canDraw && isInteractive && columns >= MAX_COLUMNS;
  const startedMs = Date.parse(report.startedAt);
  const lines = [
    ...part('Pod', `${report.pod || 'none'} on ${report.node}, network ${report.network}`),
    ...part('Sandbox', `${report.container}, ${report.sandbox.path || 'unknown path'}: ${report.sandbox.state}`),
    ...part('Attached', `${formatTime(startedMs, nowMs)}, ${formatDuration(nowMs - startedMs)} ago (${report.stage})`),
    '',
    ...(draws ? drawEnds(report, terminal, isVerbose) : listEnds(report, terminal, isVerbose)),
    '',
    ...part('Lease', report.leases.map(({ address }) => address).join(', ') || 'none'),
    ...part('Record', report.record),
    ...part(
      'Endpoint',
      `${report.endpoint.addresses || 'none'}: ${report.endpoint.state}${report.endpoint.why === '' ? '' : ` (${report.endpoint.why})`}`,
    ),
    ...part('Policy', report.policy),
    '',
    ...formatDifferences(report, terminal, nowMs),
    ...formatOperations(report, nowMs),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

const LABEL = 10;

function part(label: string, text: string): readonly string[] {
  return wrapText(escapeControls(text), MAX_COLUMNS - LABEL).map(
    (line, index) => `${(index === 0 ? label : '').padEnd(LABEL)}${line}`,
  );
}

/** The lines of one end: what it is, its addresses, its routes, and its settings that differ, or all of them. */
function describeEnd(end: EndReport, { symbols }: Terminal, isVerbose: boolean): readonly string[] {
  const mark = ({ text, isAsPlanned }: LineReport) => `${isAsPlanned ? symbols.ok : symbols.failed} ${text}`;
  const settings = isVerbose ? end.settings : end.settings.filter(({ isAsPlanned }) => !isAsPlanned);
  const asPlanned = end.settings.filter(({ isAsPlanned }) => isAsPlanned).length;
  return [
    end.mac === undefined ? `${symbols.failed} ${end.name} is not visible` : `${end.name} ${end.mac}`,
    ...(end.mtuBytes === undefined ? [] : [`mtu ${end.mtuBytes}`]),
    ...end.addresses,
    ...end.routes.map(mark),
    ...settings.map(mark),
    ...(isVerbose || asPlanned === 0 ? [] : [`${symbols.ok} ${asPlanned} settings`]),
    ...end.neighbors.map((neighbor) => `neighbor ${neighbor}`),
  ].map(escapeControls);
}

function listEnds(report: AttachmentReport, terminal: Terminal, isVerbose: boolean): readonly string[] {
  const list = (title: string, end: EndReport) => [
    title,
    ...describeEnd(end, terminal, isVerbose).flatMap((line) =>
      wrapText(line, MAX_COLUMNS - 2).map((text) => `  ${text}`),
    ),
  ];
  return [...list('In the pod', report.inside), ...list('On the node', report.host)];
}

const BOX = 36;

function drawEnds(report: AttachmentReport, terminal: Terminal, isVerbose: boolean): readonly string[] {
  const width = BOX - 2;
  const cells = (end: EndReport) => describeEnd(end, terminal, isVerbose).flatMap((line) => wrapText(line, width - 1));
  const [left, right] = [cells(report.inside), cells(report.host)];
  const height = Math.max(left.length, right.length);
  const row = (index: number) => {
    const link = index === 0 ? '├─────┤' : '│     │';
    return ` │${pad(left[index] ?? '', width)}${link}${pad(right[index] ?? '', width)}│`;
  };
  const line = '─'.repeat(width);
  return [
    ` ${pad(' pod', BOX)}${'veth'.padStart(4)}${' '.repeat(1)} node`,
    ` ┌${line}┐     ┌${line}┐`,
    ...Array.from({ length: height }, (_, index) => row(index)),
    ` └${line}┘     └${line}┘`,
  ];
}

function pad(text: string, width: number): string {
  return ` ${text}`.padEnd(width).slice(0, width);
}

function formatDifferences(
  { differences, fix, pod, startedAt }: AttachmentReport,
  { paint }: Terminal,
  nowMs: number,
): readonly string[] {
  if (differences.length === 0) return [paint('green', 'As planned: nothing differs.'), ''];
  const lines = differences.flatMap(({ what, expected, actual, effect }) => [
    ...wrapText(escapeControls(`${what}: expected ${expected}, found ${actual}`), MAX_COLUMNS - 2).map(
      (text) => `  ${text}`,
    ),
    ...wrapText(effect, MAX_COLUMNS - 13).map((text, index) => `    ${(index === 0 ? 'effect' : '').padEnd(9)}${text}`),
  ]);
  const title = `Differs from the plan (${differences.length})${pod === '' ? '' : `: something changed ${pod} after it was attached`}`;
  return [
    ...wrapText(title, MAX_COLUMNS).map((text) => paint('red', text)),
    ...lines,
    `    ${'since'.padEnd(9)}some time after ${formatTime(Date.parse(startedAt), nowMs)}, when it was attached`,
    ...fix.map((command, index) => `    ${(index === 0 ? 'fix' : '').padEnd(9)}${command}`),
    '',
  ];
}

function formatOperations({ operations }: AttachmentReport, nowMs: number): readonly string[] {
  if (operations.length === 0) return ['The log has no line about this attachment.'];
  return [
    'In the log',
    ...operations
      .slice(-10)
      .flatMap(({ time, level, command, message }) =>
        wrapText(
          escapeControls(`${formatTime(Date.parse(time), nowMs)} ${command} ${level}: ${message}`),
          MAX_COLUMNS - 4,
        ).map((text, index) => `${index === 0 ? '  ' : '    '}${text}`),
      ),
  ];
}
