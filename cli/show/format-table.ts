/** Tables for people: columns as wide as their widest cell, two spaces between them. */

export interface Column {
  readonly title: string;
  /** Figures are easier to compare when they end at one place. */
  readonly align?: 'left' | 'right';
}

/** One line per row below the titles, each ending in a line break; without rows, the one line `none`. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return `${none}\n`;
  const lines = [columns.map(({ title }) => title.toUpperCase()), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index] ?? ''))));
  return lines
    .map((line) =>
      columns
        .map(({ align }, index) => pad(line[index] ?? '', widths[index] ?? 0, align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** By the first columns; rows that are alike there keep their order. */
export function sortRows(rows: string[][], columns: number): string[][] {
  const key = (row: readonly string[]) => row.slice(0, columns).join('\0');
  return rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

function width(text: string): number {
  return [...text].length;
}

function pad(text: string, wanted: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, wanted - width(text)));
  return align === 'left' ? text + space : space + text;
}

/** 1536 → `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** 75,000 ms → `1m15s`; the two largest units are enough for people. */
export function formatAge(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)}ms`;
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3600)}h`;
}
