/** A request that is under way, read again as its decision read it: from what its record kept. */
import { normalizePath, pathAmbiguities } from '../../../model/normal-path.js';
import { normalizeHost, pathEnd, type RequestHead } from '../../../model/request-head.js';
import type { RequestRecord } from './request-record.js';

export class KeptRequest implements RequestHead {
  readonly #request: RequestRecord;

  constructor(request: RequestRecord) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method;
  }

  get authority(): string {
    return this.#request.host;
  }

  get host(): string {
    return normalizeHost(this.#request.host);
  }

  get path(): string {
    return normalizePath(this.#sentPath);
  }

  get ambiguities(): number {
    return pathAmbiguities(this.#sentPath);
  }

  get query(): string {
    const { path } = this.#request;
    return path.slice(pathEnd(path) + 1);
  }

  /** One that no policy read when the request came is not known any more: it counts as absent. */
  header(name: string): string | null {
    const { headerNames, headerValues } = this.#request;
    return headerValues[headerNames.indexOf(name)] ?? null;
  }

  get #sentPath(): string {
    const { path } = this.#request;
    return path.slice(0, pathEnd(path));
  }
}
