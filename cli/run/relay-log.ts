/** Turns the parts' output into lines of one log that a person can read. */

const maxLineLength = 64 * 1024;

/** Splits a stream of bytes into lines; what is left at the end is a line too. */
export class LineSplitter {
  #rest = '';
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#onLine(line);
    if (this.#rest.length > maxLineLength) this.end();
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}

/** `proxy warn: message key=value`: from a JSON log line; any other text only gets its part's name. */
export function formatLogLine(part: string, line: string): string {
  const entry = parseEntry(line);
  if (entry === null) return `${part}: ${line}`;
  const {
    time: _time,
    level,
    component: _component,
    message,
    reason: _reason,
    problem: _problem,
    ...details
  } = entry;
  const shown = Object.entries(details).map(([name, value]) => ` ${name}=${showDetail(value)}`);
  const marked = level === 'info' || level === undefined ? '' : ` ${String(level)}`;
  return `${part}${marked}: ${String(message)}${shown.join('')}`;
}

function parseEntry(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    const entry = JSON.parse(line) as Record<string, unknown>;
    return typeof entry.message === 'string' ? entry : null;
  } catch {
    return null;
  }
}

function showDetail(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@-]+$/.test(value)) return value;
  return JSON.stringify(value) ?? '';
}
