/** The service ports behind routes' backends, looked up once per snapshot. */
import type { CompiledBackend } from '../../../model/compile-route.js';
import type { ServicePortView, Snapshot } from '../../../model/snapshot.js';

export class BackendTable {
  #snapshot: Snapshot | null = null;
  readonly #ports = new Map<CompiledBackend, ServicePortView | null>();

  /** null where the backend's service or port does not exist or may not be used. */
  find(backend: CompiledBackend, snapshot: Snapshot): ServicePortView | null {
    if (this.#snapshot !== snapshot) {
      this.#ports.clear();
      this.#snapshot = snapshot;
    }
    const known = this.#ports.get(backend);
    if (known !== undefined) return known;
    const service = backend.serviceKey === null ? undefined : snapshot.services.get(backend.serviceKey);
    const port = service?.ports.get(backend.port) ?? null;
    this.#ports.set(backend, port);
    return port;
  }
}
