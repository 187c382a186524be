/** A request row of the present batch, read as the decisions want it: lazily, and from one object for all rows. */

import { normalizePath, pathAmbiguities } from '../../../model/normal-path.js';
import { normalizeHost, pathEnd, type RequestHead } from '../../../model/request-head.js';
import { absentHeader, type Engine, Method, maxWantedHeaders, RowFlag } from '../../../native/engine.js';

/** Method texts by the engine's number. */
const methodNames: readonly string[] = Object.entries(Method)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name);

export class RowRequest implements RequestHead {
  readonly #engine: Engine;
  #row = 0;
  #columns: ReadonlyMap<string, number> = new Map();
  #target: string | null = null;
  #path: string | null = null;
  #authority: string | null = null;
  #host: string | null = null;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The names that the engine was told to deliver, by their column. */
  setColumns(columns: ReadonlyMap<string, number>): void {
    this.#columns = columns;
  }

  /** Reads row `row` from now on. */
  bind(row: number): void {
    this.#row = row;
    this.#target = null;
    this.#path = null;
    this.#authority = null;
    this.#host = null;
  }

  get method(): string {
    const { rows } = this.#engine;
    const known = rows.method[this.#row] as number;
    if (known !== Method.other) return methodNames[known] as string;
    return this.#text(rows.methodOffset[this.#row] as number, rows.methodLength[this.#row] as number);
  }

  /** Path and query as sent. */
  get target(): string {
    if (this.#target === null) {
      const { rows } = this.#engine;
      this.#target = this.#text(rows.pathOffset[this.#row] as number, rows.pathLength[this.#row] as number);
    }
    return this.#target;
  }

  get path(): string {
    if (this.#path === null) {
      const target = this.target;
      const sent = target.slice(0, pathEnd(target));
      this.#path = this.#plain ? sent : normalizePath(sent);
    }
    return this.#path;
  }

  get query(): string {
    const target = this.target;
    return target.slice(pathEnd(target) + 1);
  }

  /** A plain path has none: the engine lets no other bytes into a target than visible ASCII, and no `#`. */
  get ambiguities(): number {
    if (this.#plain) return 0;
    const target = this.target;
    return pathAmbiguities(target.slice(0, pathEnd(target)));
  }

  get authority(): string {
    if (this.#authority === null) {
      const { rows } = this.#engine;
      this.#authority = this.#text(
        rows.hostOffset[this.#row] as number,
        rows.hostLength[this.#row] as number,
      );
    }
    return this.#authority;
  }

  get host(): string {
    if (this.#host === null) this.#host = normalizeHost(this.authority);
    return this.#host;
  }

  header(name: string): string | null {
    const column = this.#columns.get(name);
    if (column === undefined) throw new Error(`the header ${name} is read but was not asked of the engine`);
    const at = this.#row * maxWantedHeaders + column;
    const length = this.#engine.rows.headerLength[at] as number;
    if (length === absentHeader) return null;
    return this.#text(this.#engine.rows.headerOffset[at] as number, length);
  }

  /** The engine's number of the method (see Method). */
  get methodCode(): number {
    return this.#engine.rows.method[this.#row] as number;
  }

  get hasBody(): boolean {
    return this.#flag(RowFlag.hasBody);
  }

  /** Length of the body, -1 where it is not known. */
  get bodyBytes(): number {
    return this.#engine.rows.bodyBytes[this.#row] as number;
  }

  get http2(): boolean {
    return this.#engine.rows.protocol[this.#row] === 2;
  }

  get http10(): boolean {
    return this.#flag(RowFlag.http10);
  }

  get #plain(): boolean {
    return this.#flag(RowFlag.plainPath);
  }

  #flag(flag: number): boolean {
    return ((this.#engine.rows.flags[this.#row] as number) & flag) !== 0;
  }

  #text(offset: number, length: number): string {
    return length === 0 ? '' : this.#engine.readText(offset, length);
  }
}
