import type { Axis } from './axis.ts';

/** Escapes text for an element or an attribute of XML. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  // XML 1.0 has no way to write these control characters.
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f]/g, '').replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

type Attributes = Readonly<Record<string, string | number>>;

/** Formats an element. Numbers are rounded to one decimal. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(formatValue(value))}"`);
  const start = `<${name}${written.join('')}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join('')}</${name}>`;
}

/** Formats a line of text with a class of the style sheet. */
export function label(x: number, y: number, className: string, text: string, attributes: Attributes = {}): string {
  return element('text', { x, y, class: className, ...attributes }, escapeXml(text));
}

/** Draws a vertical line at each tick of an axis, with its number below. */
export function drawTicks(axis: Axis, topY: number, bottomY: number): readonly string[] {
  return axis.ticks.flatMap((tick) => {
    const x = axis.at(tick);
    return [
      element('line', { x1: x, x2: x, y1: topY, y2: bottomY, class: 'axis' }),
      label(x, bottomY + 16, 'quiet middle', String(tick)),
    ];
  });
}

/** Formats a whole drawing, readable on a light and on a dark page. */
export function drawing(options: {
  readonly width: number;
  readonly height: number;
  /** For screen readers. */
  readonly title: string;
  readonly parts: readonly string[];
}): string {
  const { width, height, title, parts } = options;
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
  };
  const content = [element('title', {}, escapeXml(title)), `<style>${STYLE}</style>`, ...parts];
  return `${element('svg', attributes, `\n${content.join('\n')}\n`)}\n`;
}

/** Returns the class that gives the nth series its color. */
export function seriesClass(index: number): string {
  return `series-${index % 4}`;
}

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.quiet { fill: #59636e }
.end { text-anchor: end }
.middle { text-anchor: middle }
.axis { stroke: #d1d9e0; stroke-width: 1 }
.series-0 { fill: #0969da; stroke: #0969da }
.series-1 { fill: #8250df; stroke: #8250df }
.series-2 { fill: #1a7f37; stroke: #1a7f37 }
.series-3 { fill: #bc4c00; stroke: #bc4c00 }
.line { fill: none; stroke-width: 2 }
.thin { stroke-width: 2 }
.faint { opacity: 0.35 }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc } .quiet { fill: #9198a1 } .axis { stroke: #3d444d }
  .series-0 { fill: #4493f8; stroke: #4493f8 } .series-1 { fill: #ab7df8; stroke: #ab7df8 }
  .series-2 { fill: #3fb950; stroke: #3fb950 } .series-3 { fill: #db6d28; stroke: #db6d28 }
}
`;

function formatValue(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;
}
