/** The Kubernetes API as an install hook uses it: a few objects, each awaited, every refusal an error with its reason. */
import { type ApiAnswer, ApiClient, type ApiRequest } from '../kubernetes/api-client.js';
import { loadConfig } from '../kubernetes/open-cluster.js';

const silenceMs = 10_000;

export class HookApi {
  readonly #client: Pick<ApiClient, 'send' | 'close'>;
  readonly #signal: AbortSignal;

  constructor(client: Pick<ApiClient, 'send' | 'close'>, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  /** With the service account of the hook's pod; everything together may take so long. */
  static inCluster(timeoutMs: number): HookApi {
    return new HookApi(new ApiClient(loadConfig(null)), AbortSignal.timeout(timeoutMs));
  }

  /** The object; null where there is none. */
  async find(
    path: string,
    query: Readonly<Record<string, string>> = {},
  ): Promise<Record<string, unknown> | null> {
    const answer = await this.#send({ method: 'GET', path, query });
    if (answer.status === 404) return null;
    return accept(`GET ${path}`, answer);
  }

  /** False where another made it first. */
  async create(path: string, body: unknown): Promise<boolean> {
    const answer = await this.#send({ method: 'POST', path, body });
    if (answer.status === 409) return false;
    accept(`POST ${path}`, answer);
    return true;
  }

  /** A JSON merge patch (RFC 7386). */
  async patch(path: string, body: unknown): Promise<void> {
    const contentType = 'application/merge-patch+json';
    accept(`PATCH ${path}`, await this.#send({ method: 'PATCH', path, body, contentType }));
  }

  /** Replaces an object's `spec` whole, lists in it too. */
  async replaceSpec(path: string, spec: unknown): Promise<void> {
    const body = [{ op: 'replace', path: '/spec', value: spec }];
    const contentType = 'application/json-patch+json';
    accept(`PATCH ${path}`, await this.#send({ method: 'PATCH', path, body, contentType }));
  }

  /** What is not there is removed too. */
  async remove(path: string): Promise<void> {
    const answer = await this.#send({ method: 'DELETE', path });
    if (answer.status !== 404) accept(`DELETE ${path}`, answer);
  }

  close(): void {
    this.#client.close();
  }

  #send(request: Omit<ApiRequest, 'silenceMs'>): Promise<ApiAnswer> {
    return this.#client.send({ ...request, silenceMs }, this.#signal);
  }
}

function accept(what: string, { status, body }: ApiAnswer): Record<string, unknown> {
  const object = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  if (status >= 200 && status < 300) return object;
  throw new Error(`${what} was refused with ${status}: ${String(object.message ?? 'no reason given')}`);
}
