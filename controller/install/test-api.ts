/** An API of objects by path, for the hooks' tests: create, read, patch and delete, as the API server answers them. */
import type { ApiAnswer, ApiRequest } from '../kubernetes/api-client.js';
import { HookApi } from './hook-api.js';

type Json = Record<string, unknown>;

export class TestApi {
  readonly objects = new Map<string, Json>();
  readonly requests: string[] = [];
  /** Called after each change. */
  onChange: () => void = () => {};

  readonly hook = new HookApi(
    { send: (request) => Promise.resolve(this.#answer(request)), close: () => {} },
    new AbortController().signal,
  );

  #answer({ method, path, body }: Omit<ApiRequest, 'silenceMs'>): ApiAnswer {
    this.requests.push(`${method} ${path}`);
    const found = this.objects.get(path);
    switch (method) {
      case 'POST': {
        const key = `${path}/${(body as { metadata: { name: string } }).metadata.name}`;
        if (this.objects.has(key)) return answer(409, { message: 'exists' });
        this.objects.set(key, body as Json);
        break;
      }
      case 'PATCH':
        if (found === undefined) return answer(404, {});
        this.objects.set(
          path,
          Array.isArray(body) ? { ...found, spec: body[0].value } : merge(found, body as Json),
        );
        break;
      case 'DELETE':
        if (!this.objects.delete(path)) return answer(404, {});
        break;
      default:
        return found === undefined ? answer(404, {}) : answer(200, found);
    }
    this.onChange();
    return answer(200, {});
  }
}

function merge(target: Json, patch: Json): Json {
  const entries = Object.entries(patch).map(([name, value]) => {
    const before = target[name];
    const nested = typeof value === 'object' && value !== null && typeof before === 'object';
    return [name, nested ? merge(before as Json, value as Json) : value];
  });
  return { ...target, ...Object.fromEntries(entries) };
}

function answer(status: number, body: unknown): ApiAnswer {
  return { status, body, retryAfterMs: 0 };
}
