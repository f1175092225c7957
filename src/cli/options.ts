import { InvalidArgumentError, Option } from 'commander';
import { OUTPUT_FORMATS } from './output-format.ts';

/** `-o`, with the formats of lists. */
export function outputOption(): Option {
  return new Option('-o, --output <format>', 'format of the output').choices(OUTPUT_FORMATS).default('table');
}

/** `--timeout`. */
export function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'how long all requests may take').argParser(parseSeconds).default(10);
}

/** `--check-renewal`, with the age that the last success may have. */
export function checkRenewalOption(): Option {
  return new Option('--check-renewal <seconds>', 'only check how long ago --watch last succeeded')
    .argParser(parseSeconds)
    .conflicts(['watch', 'asCalico', 'root']);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d{1,4}$/.test(text) && seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a whole number of seconds from 1 to 9999.');
}

/** `--root`, an absolute folder. */
export function rootOption(description: string): Option {
  return new Option('--root <folder>', description).argParser((path) => {
    if (path.startsWith('/')) return path;
    throw new InvalidArgumentError('Expected an absolute folder.');
  });
}

/** The description of `--root` for commands that read a node. */
export const NODE_ROOT =
  'where the file system of the node is: / on the node itself (default: /host if it is mounted there)';
