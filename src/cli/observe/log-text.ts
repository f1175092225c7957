import { tryParseJsonObject } from '../../json/json.ts';
import { formatLine } from '../../log/log-line.ts';

/** A line of podwire's log as text, also if the log consists of JSON (`log_format`). Any other line is returned unchanged. */
export function logLineAsText(line: string): string {
  const fields = line.startsWith('{') ? tryParseJsonObject(line) : undefined;
  if (fields === undefined) return line;
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [command, container, pod] = [text('command'), text('container'), text('pod')];
  const context = { command, container, interface: text('interface'), pod };
  const code = typeof fields['code'] === 'number' && fields['code'] !== 0 ? fields['code'] : undefined;
  const outcome =
    code === undefined ? undefined : { code, details: text('details'), finding: text('finding'), cause: text('cause') };
  const time = new Date(text('time') ?? '');
  if (Number.isNaN(time.getTime())) return line;
  return formatLine(time, text('level') ?? '', text('message') ?? '', context, outcome).trimEnd();
}
