/** `POST /tokens?node=NAME&ttlSeconds=N`: makes a join token. Its text is in this answer and nowhere else. */
import type { JoinTokens } from '../authority/join-tokens.js';
import { type AdminPages, BadQuestion } from './admin-server.js';

export function tokenPages(tokens: JoinTokens): AdminPages {
  return {
    'POST /tokens': async (query) => {
      try {
        return await tokens.create(
          query.get('node') ?? '',
          Number(query.get('ttlSeconds') ?? Number.NaN) * 1000,
        );
      } catch (error) {
        if (error instanceof RangeError) throw new BadQuestion(error.message, { cause: error });
        throw error;
      }
    },
  };
}
