/**
 * Requests to a Kubernetes API with the credentials of a kubeconfig or of the pod's service account. Bodies stay plain
 * JSON; every answer is bounded in size, and every silence in time.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, type RequestOptions, request as requestHttps } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the server's address, such as `/api/v1/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the body; `application/json` where it is not given. */
  readonly contentType?: string;
  /** Ends the request once the answer has been silent for so long. */
  readonly silenceMs: number;
}

export interface ApiAnswer {
  readonly status: number;
  /** Parsed JSON; null where the body is none. */
  readonly body: unknown;
  /** What the server asks to wait, 0 where it does not say. */
  readonly retryAfterMs: number;
}

/** No answer came, or a broken one. */
export class ApiTransportError extends Error {}

/** A page of 500 large objects is some 10 MiB. */
const maxBodyBytes = 256 * 1024 * 1024;
/** etcd takes no object above 1.5 MiB; as JSON it may be somewhat longer. */
export const maxLineBytes = 16 * 1024 * 1024;

/**
 * A connection that is silent for so long is probed each second, and given up after ten probes: a watch whose server
 * vanished without a word would else wait for minutes.
 */
const probeAfterMs = 10_000;

export class ApiClient {
  readonly #config: KubeConfig;
  readonly #base: URL;
  readonly #agents = {
    http: new HttpAgent({ keepAlive: true, keepAliveMsecs: probeAfterMs }),
    https: new HttpsAgent({ keepAlive: true, keepAliveMsecs: probeAfterMs }),
  };

  /** Throws where the kubeconfig names no cluster. */
  constructor(config: KubeConfig) {
    const server = config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error('the kubeconfig names no current cluster');
    this.#config = config;
    this.#base = new URL(server);
  }

  /** For people: where the API is. */
  get server(): string {
    return this.#base.origin;
  }

  /** One request and its whole answer. Rejects with ApiTransportError, or with the signal's reason. */
  async send(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const response = await this.#open(request, signal);
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBodyBytes) throw new Error(`answer is longer than ${maxBodyBytes} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#explain(request, error, signal);
    }
    return {
      status: response.statusCode ?? 0,
      body: parseJson(Buffer.concat(chunks).toString('utf8')),
      retryAfterMs: readRetryAfter(response),
    };
  }

  /**
   * A watch: yields each line of the answer as text. Where the server refuses, yields nothing and returns its answer;
   * returns null at the stream's orderly end.
   */
  async *watch(request: ApiRequest, signal: AbortSignal): AsyncGenerator<string, ApiAnswer | null> {
    const response = await this.#open(request, signal);
    try {
      if (response.statusCode !== 200) {
        let text = '';
        for await (const chunk of response as AsyncIterable<Buffer>) text = (text + chunk).slice(0, 65_536);
        const retryAfterMs = readRetryAfter(response);
        return { status: response.statusCode ?? 0, body: parseJson(text), retryAfterMs };
      }
      yield* splitLines(response);
      return null;
    } catch (error) {
      throw this.#explain(request, error, signal);
    } finally {
      response.destroy();
    }
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #open(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { method, path, query = {}, body, contentType = 'application/json', silenceMs } = request;
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/$/, '')}${path}`;
    url.search = new URLSearchParams(query).toString();
    const text = body === undefined ? undefined : JSON.stringify(body);
    try {
      const options = await this.#authorize();
      const headers = { accept: 'application/json', 'user-agent': 'weft-controller', ...options.headers };
      return await new Promise<IncomingMessage>((resolve, reject) => {
        const call = url.protocol === 'https:' ? requestHttps : requestHttp;
        const sent = call(
          url,
          {
            ...options,
            method,
            signal,
            headers:
              text === undefined
                ? headers
                : { ...headers, 'content-type': contentType, 'content-length': Buffer.byteLength(text) },
          },
          resolve,
        );
        sent.on('error', reject);
        sent.setTimeout(silenceMs, () => sent.destroy(new Error(`no byte came for ${silenceMs} ms`)));
        sent.end(text);
      });
    } catch (error) {
      throw this.#explain(request, error, signal);
    }
  }

  /** Read for each request: tokens, certificates and authorities are replaced while the controller runs. */
  async #authorize(): Promise<RequestOptions> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const proxied = this.#config.getCurrentCluster()?.proxyUrl !== undefined;
    // The library's own agent keeps no connection open and holds on to the first credentials.
    const agent = this.#base.protocol === 'https:' ? this.#agents.https : this.#agents.http;
    return proxied ? options : { ...options, agent };
  }

  #explain({ method, path }: ApiRequest, error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return new ApiTransportError(`${method} ${path} at ${this.server} failed`, { cause: error });
  }
}

/** The lines of a stream, without their ends. Throws where one is longer than `maxLineBytes`. */
async function* splitLines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8');
      parts = [];
      size = 0;
      from = end + 1;
      if (line !== '') yield line;
    }
    const rest = chunk.subarray(from);
    size += rest.length;
    if (size > maxLineBytes) throw new Error(`a line is longer than ${maxLineBytes} bytes`);
    if (rest.length > 0) parts.push(rest);
  }
}

/** null where the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Seconds only, as the API server sends them; a minute at most. */
function readRetryAfter(response: IncomingMessage): number {
  const text = response.headers['retry-after'] ?? '';
  return /^\d{1,4}$/.test(text) ? Math.min(Number(text), 60) * 1000 : 0;
}
