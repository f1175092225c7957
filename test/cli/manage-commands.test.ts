import { Command } from 'commander';
import { expect, it } from 'vitest';
import { addManagement } from '../../src/cli/manage-commands.ts';
import { cliIo } from '../support/commands/cli-io.ts';

it('adds the commands that test a configuration, and those that change a node', () => {
  const program = new Command();
  addManagement(program, cliIo().io, () => undefined);
  expect(program.commands.map((command) => command.name())).toEqual(['plan', 'test', 'gc', 'install', 'uninstall']);
});
