/** The weft of this machine, asked by the sockets of its state folder. */
import { existsSync } from 'node:fs';
import { type Asked, type MeshSource, parseAnswer } from './mesh-source.js';
import { askAdmin } from './show/ask-admin.js';
import type { StatePaths } from './state-folder.js';
import { CommandError, describeError } from './usage-error.js';

export class LocalMesh implements MeshSource {
  readonly kind = 'machine';
  readonly #paths: StatePaths;

  constructor(paths: StatePaths) {
    this.#paths = paths;
  }

  async askProxies<Answer>(path: string): Promise<Asked<Answer>[]> {
    return (await this.readProxies(path)).map(parseAnswer<Answer>);
  }

  async readProxies(path: string): Promise<Asked<string>[]> {
    return [await ask('proxy', this.#paths.proxyAdmin, path)];
  }

  async askControllers<Answer>(path: string): Promise<Asked<Answer>[]> {
    if (existsSync(this.#paths.joinFolder)) return [];
    return [parseAnswer<Answer>(await ask('controller', this.#paths.controllerAdmin, path))];
  }

  close(): void {}
}

/** Only what a person can mend becomes an answer's error. */
async function ask(name: string, socket: string, path: string): Promise<Asked<string>> {
  try {
    return { name, ok: true, answer: await askAdmin(socket, path, [200, 400]) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { name, ok: false, error: describeError(error) };
  }
}
