/** The X.509 library, loaded in the one order that works: its dependency injection needs reflect-metadata before it. */
import 'reflect-metadata';

export * from '@peculiar/x509';
