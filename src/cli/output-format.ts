/** The formats of `-o`. `table` is for people, `name` and the others are for programs. */
export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** How to format a value in each format. */
export interface Formats {
  /** The value that `json` and `yaml` print. */
  readonly value: () => unknown;
  readonly table: () => string;
  readonly wide: () => string;
  /** The names of what is listed, which other commands accept. */
  readonly names: () => readonly string[];
}

/** Formats a value as requested by `-o`. The text ends with a line break. */
export async function formatOutput(format: OutputFormat, formats: Formats): Promise<string> {
  switch (format) {
    case 'table':
      return formats.table();
    case 'wide':
      return formats.wide();
    case 'json':
      return `${JSON.stringify(formats.value(), undefined, 2)}\n`;
    case 'yaml':
      // The YAML library is a separate part of the executable.
      return (await import('yaml')).stringify(formats.value());
    case 'name':
      return formats
        .names()
        .map((name) => `${name}\n`)
        .join('');
    default:
      return format satisfies never;
  }
}
