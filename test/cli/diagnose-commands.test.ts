import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addDiagnosis } from '../../src/cli/diagnose-commands.ts';
import { cliIo } from '../support/commands/cli-io.ts';

it('adds the commands that change nothing', () => {
  const program = new Command();
  addDiagnosis(program, cliIo().io, () => undefined);
  expect(program.commands.map((command) => command.name())).toEqual(['doctor', 'explain', 'get', 'trace', 'support']);
});
