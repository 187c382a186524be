/** Before the first file: weft's image is made of what is built, and is on every node. */
export { loadImage as default } from './release.js';
