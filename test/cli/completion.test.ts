import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { completionScript, isShell, SHELLS } from '../../src/cli/completion.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const PROGRAM = makeProgram(cliIo().io, () => undefined);
const COMMANDS = PROGRAM.commands.map((command) => command.name()).filter((name) => name !== 'help');

describe('bash', () => {
  const complete = (...words: readonly string[]) => {
    const script = `${completionScript('bash', PROGRAM)}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _podwire; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', script]).toString().trim().split(' ');
  };

  it('completes commands', () => expect(complete('podwire', 'doc')).toEqual(['doctor']));
  it('knows every command', () => expect(complete('podwire', '')).toEqual([...COMMANDS, '--help', '--version']));
  it('completes flags of the command', () => expect(complete('podwire', 'gc', '--d')).toEqual(['--dry-run']));
  it('completes the values of a flag', () => expect(complete('podwire', 'doctor', '-o', 'j')).toEqual(['json']));
  it('completes the values of an argument', () => expect(complete('podwire', 'completion', 'z')).toEqual(['zsh']));
});

it('the script for zsh has every command, and begins as zsh requires', () => {
  const script = completionScript('zsh', PROGRAM);
  expect(script.split('\n')[0]).toBe('#compdef podwire');
  expect(COMMANDS.filter((name) => !script.includes(`    ${name})`))).toEqual([]);
});

it('the script for fish has every command and flag', () => {
  const script = completionScript('fish', PROGRAM);
  expect(COMMANDS.filter((name) => !script.includes(`-f -a ${name} -d`))).toEqual([]);
  expect(script).toContain("-n '__fish_seen_subcommand_from doctor' -l output -s o -x -a 'table wide json yaml name'");
});

it('no other shell is known', () => expect([...SHELLS, 'ksh'].map(isShell)).toEqual([true, true, true, false]));
