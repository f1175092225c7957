import { styleText } from 'node:util';

/** Reports each step of a demo and its outcome. */
export interface StepReport {
  /**
   * Runs one step. Prints its name before, and what the action returns and its duration afterwards.
   *
   * @param action returns the lines to show, and the step's outcome
   * @throws {StepFailure} after the failure has been printed
   */
  step<Outcome>(name: string, action: () => Promise<StepResult<Outcome>>): Promise<Outcome>;
  /** Prints text between the steps. */
  print(text: string): void;
  warn(text: string): void;
}

export interface StepResult<Outcome> {
  readonly shown?: string;
  readonly outcome: Outcome;
}

/** A step failed, and the report has already printed why. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
}

/** Opens a report that writes to `stream`: in color on a terminal, unless NO_COLOR is set. */
export function openStepReport(stream: NodeJS.WriteStream, interrupted: AbortSignal): StepReport {
  const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream });
  const write = (text: string) => void stream.write(`${text}\n`);
  return {
    async step(name, action) {
      interrupted.throwIfAborted();
      write(style(['bold', 'cyan'], `==> ${name}`));
      const startedMs = performance.now();
      const elapsed = () => formatSeconds(performance.now() - startedMs);
      try {
        const { shown, outcome } = await action();
        if (shown !== undefined && shown !== '') write(indent(shown));
        write(indent(`${style('green', 'ok')} ${elapsed()}`));
        return outcome;
      } catch (error) {
        if (interrupted.aborted) throw error;
        const reason = error instanceof Error ? error.message : String(error);
        write(indent(`${style(['bold', 'red'], 'FAILED')} ${elapsed()}: ${name}\n${reason}`));
        throw new StepFailure(name, { cause: error });
      }
    },
    print: write,
    warn: (text) => write(style('yellow', text)),
  };
}

/** Formats a duration as `0.12 s`. */
export function formatSeconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`;
}

function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}
