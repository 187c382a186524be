/** The weft command of this machine. */
import { start } from './program.js';

await start('weft');
