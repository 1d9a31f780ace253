import type { Plugin } from 'vite';

export const PAGE_OCTETS: number;
export function budget(): Plugin;
