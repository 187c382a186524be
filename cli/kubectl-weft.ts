/** The same program as kubectl's plugin: `kubectl weft VERB`. */
import { start } from './program.js';

await start('kubectl weft');
