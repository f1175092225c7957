/** Says what is being done, and how it went. */
export interface StepReport {
  /**
   * One step: its name before, what the action returns and the time after.
   *
   * @param action gives the lines to show, and the step's outcome
   * @throws {StepFailure} after the failure has been shown
   */
  step<Outcome>(name: string, action: () => Promise<StepResult<Outcome>>): Promise<Outcome>;
  /** Text between the steps. */
  say(text: string): void;
  warn(text: string): void;
}

export interface StepResult<Outcome> {
  readonly shown?: string;
  readonly outcome: Outcome;
}

/** A step failed, and the report has said so already. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
}

/** Writes to `stream`; in colour on a terminal, unless NO_COLOR is set. */
export function openStepReport(stream: NodeJS.WriteStream, interrupted: AbortSignal): StepReport {
  const isColoured = stream.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const paint = (colour: keyof typeof COLOURS, text: string) =>
    isColoured ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text;
  const write = (text: string) => void stream.write(`${text}\n`);
  return {
    async step(name, action) {
      interrupted.throwIfAborted();
      write(paint('name', `==> ${name}`));
      const startedMs = performance.now();
      const took = () => formatSeconds(performance.now() - startedMs);
      try {
        const { shown, outcome } = await action();
        if (shown !== undefined && shown !== '') write(indent(shown));
        write(indent(`${paint('good', 'ok')} ${took()}`));
        return outcome;
      } catch (error) {
        if (interrupted.aborted) throw error;
        const why = error instanceof Error ? error.message : String(error);
        write(indent(`${paint('bad', 'FAILED')} ${took()}: ${name}\n${why}`));
        throw new StepFailure(name, { cause: error });
      }
    },
    say: write,
    warn: (text) => write(paint('warning', text)),
  };
}

/** `0.12 s`. */
export function formatSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}

const COLOURS = { name: '1;36', good: '32', bad: '1;31', warning: '33' } as const;
