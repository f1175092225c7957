import type { ToolName } from './tool-table.ts';

/**
 * The progress of one tool. `building` is repeated every few seconds, because five minutes without output look like a
 * hang.
 */
export interface ToolProgress {
  readonly tool: ToolName;
  readonly stage: 'building' | 'downloading' | 'built' | 'downloaded' | 'found';
  readonly elapsedSeconds: number;
  /** The path of a finished tool, or what an unfinished one waits for. */
  readonly detail: string;
}

export type OnToolProgress = (progress: ToolProgress) => void;

/**
 * Makes a function that writes progress to `stream`, one line per tool. On a terminal the line of a running build is
 * rewritten in place; elsewhere it is printed every 30 seconds, so that a CI log stays short.
 */
export function toolProgressTo(stream: NodeJS.WriteStream): OnToolProgress {
  const paint = stream.isTTY && process.env['NO_COLOR'] === undefined ? painted : plain;
  let lastSaid = '';
  return (progress) => {
    const finished = progress.stage !== 'building' && progress.stage !== 'downloading';
    if (stream.isTTY) {
      stream.write(`\r\u001b[K${formatToolProgress(progress, paint)}${finished ? '\n' : ''}`);
      return;
    }
    // A build is first reported after 10 seconds. Most builds take less, and then one line is enough.
    const chunk = Math.floor((progress.elapsedSeconds + 20) / 30);
    const said = `${progress.tool} ${progress.stage} ${chunk}`;
    if (!finished && (chunk === 0 || said === lastSaid)) return;
    lastSaid = said;
    stream.write(`${formatToolProgress(progress, paint)}\n`);
  };
}

type Paint = (text: string, color: 'green' | 'yellow') => string;

const plain: Paint = (text) => text;
const painted: Paint = (text, color) => `\u001b[${color === 'green' ? 32 : 33}m${text}\u001b[0m`;

function formatToolProgress({ tool, stage, elapsedSeconds, detail }: ToolProgress, paint: Paint): string {
  const finished = stage === 'built' || stage === 'downloaded' || stage === 'found';
  const time = stage === 'found' ? '' : ` ${elapsedSeconds.toFixed(0)} s`;
  return `${paint(stage, finished ? 'green' : 'yellow')} ${tool}${time} (${detail})`;
}
