import { describe, expect, it } from 'vitest';
import { makeProgram } from '../../src/cli/program.ts';
import { cliIo } from '../support/commands/cli-io.ts';

describe('makeProgram', () => {
  it('reports the status of the command that was run', async () => {
    const statuses: number[] = [];
    const captured = cliIo();
    await makeProgram(captured.io, (status) => statuses.push(status)).parseAsync(['version'], { from: 'user' });
    expect(statuses).toEqual([0]);
    expect(captured.stdout).toMatch(/^podwire /);
  });

  it('every command has a summary, a description and a group of the help', () => {
    const commands = makeProgram(cliIo().io, () => undefined).commands.filter((command) => command.name() !== 'help');
    expect(commands.filter((command) => command.summary() === '' || command.description() === '')).toEqual([]);
    expect(commands.filter((command) => command.helpGroup() === '')).toEqual([]);
  });
});
